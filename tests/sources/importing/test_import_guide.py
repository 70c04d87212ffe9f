"""The guide's whole example is what really happens."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import main
from sources.importing.checks import CONFLICT
from sources.importing.mapping import Mapping

DOCS = Path(__file__).parents[3] / "docs"
EXAMPLE = DOCS / "examples" / "import"
CLOCK = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC|\d+\.\d s$", re.MULTILINE)


def blocks(language: str) -> list[str]:
    guide = (DOCS / "import.md").read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)


def without_clock(text: str) -> list[str]:
    return [line.rstrip() for line in CLOCK.sub("(clock)", text).splitlines()]


def test_the_whole_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert blocks("yaml")[0] == (EXAMPLE / "till.yaml").read_text("utf-8")
    export = (EXAMPLE / "till.csv").read_text("gb18030").splitlines()
    assert [line for line in blocks("csv")[0].splitlines()[:-1] if line not in export] == []

    for name in ("till.yaml", "barcodes.csv", "till.csv"):
        (tmp_path / name).write_bytes((EXAMPLE / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    arguments = ["import", "till.yaml", "till.csv", "--out", "events.jsonl"]
    done = CliRunner(env={"COLUMNS": "100"}).invoke(main, arguments)
    assert done.exit_code == 0, done.output
    events = Path("events.jsonl").read_text("utf-8").splitlines()
    quarantine = Path("events.quarantine.csv").read_text("utf-8-sig").splitlines()
    assert blocks("json")[0].splitlines() == [events[0], events[2]]
    (report,) = blocks("text")
    assert without_clock(done.stdout) == without_clock(report)
    assert blocks("csv")[1].splitlines()[:-1] == quarantine[:5]
    assert len(list(csv.reader(quarantine))) == 1 + 8


def test_the_guide_has_every_key() -> None:
    guide = (DOCS / "import.md").read_text("utf-8")
    keys = {name for name in Mapping.__struct_fields__ if name not in Mapping.undeclared}
    assert {key for key in keys if f"`{key}" not in guide} == set()
    assert f"`{CONFLICT}`" in guide
