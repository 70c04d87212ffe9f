"""`python -m infra.cli` is the command, too: it must not do nothing and say that all is well."""

from __future__ import annotations

import subprocess
import sys


def test_as_a_module_it_is_the_same_command() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "infra.cli", "no-such-command"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert answer.returncode == 2
    assert "no-such-command" in answer.stderr
