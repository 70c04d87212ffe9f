"""A recovery folder holds what ended and nothing else, and serves one run at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import epoch_flow
import pytest
from epoch_flow import ABOUT, DIED

from flows.engine_store import discard_unfinished
from flows.recovery import RecoveryError, prepare_recovery

ROOT = Path(__file__).parents[2]
HOLDS = """
import sys
from pathlib import Path
from epoch_flow import ABOUT
from flows.recovery import prepare_recovery

prepare_recovery(Path(sys.argv[1]), ABOUT, beside_warehouse=False)
print("has it", flush=True)
sys.stdin.read()
"""


def run(folder: Path, dies_at: int, batches: Sequence[str]) -> list[str]:
    """What the flow wrote: for each batch all items of its key so far."""
    ended = subprocess.run(
        [sys.executable, epoch_flow.__file__, folder, str(dies_at), *batches],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == (DIED if dies_at else 0), ended.stderr
    return ended.stdout.splitlines()


def test_epochs_cut_otherwise(tmp_path: Path) -> None:
    """What died in the third epoch is given again in the fourth, and counts once.

    The dead run's third epoch had items of `a` and `b`, that of the next run has one of `b` alone.
    """
    run(tmp_path, 3, ["a1", "b1", "a2,b2", "b3"])
    cut_otherwise = ["a1", "b1", "b2", "a2", "b3"]
    run(tmp_path, 2, cut_otherwise)
    last = run(tmp_path, 0, cut_otherwise)[-2:]
    assert {line[0]: Counter(line.split()) for line in last} == {
        "a": Counter(["a1", "a2"]),
        "b": Counter(["b1", "b2", "b3"]),
    }


def test_nothing_to_discard(tmp_path: Path) -> None:
    """Neither of a fresh folder, nor of one whose run came to its end."""
    prepare_recovery(tmp_path, ABOUT, beside_warehouse=False)
    assert discard_unfinished(tmp_path / "engine") == 0
    run_folder = tmp_path / "run"
    run(run_folder, 0, ["a1", "b1"])
    assert discard_unfinished(run_folder / "engine") == 0


def test_in_use(tmp_path: Path) -> None:
    """A second process does not get the folder while the first one lives, and then it does."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests/support")))},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "has it\n"
        with pytest.raises(RecoveryError, match=r"is in use by another run: stop that one first"):
            prepare_recovery(tmp_path, ABOUT, beside_warehouse=False)
        other.kill()
    prepare_recovery(tmp_path, ABOUT, beside_warehouse=False)
    prepare_recovery(tmp_path, ABOUT, beside_warehouse=False)


def test_damaged_store(tmp_path: Path) -> None:
    """A file that is no store is named, with what to do."""
    prepare_recovery(tmp_path, ABOUT, beside_warehouse=False)
    part = tmp_path / "engine" / "part-0.sqlite3"
    part.write_bytes(b"no database at all, and long enough to be looked at" * 10)
    with pytest.raises(RecoveryError, match=r"part-0.sqlite3 cannot be used .* restore the"):
        prepare_recovery(tmp_path, ABOUT, beside_warehouse=False)
