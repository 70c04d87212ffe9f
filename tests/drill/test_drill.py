"""The fault drill itself on a whole stack of real processes; with all faults in the deep run."""

from __future__ import annotations

from pathlib import Path

import pytest
from depth import DEEP

from infra.drill.report import report
from infra.drill.result import DrillOptions
from infra.drill.run import drill


@pytest.mark.slow
@pytest.mark.deep
def test_nothing_is_lost_when_the_stack_is_broken(tmp_path: Path) -> None:
    said: list[str] = []
    result = drill(
        DrillOptions(minutes=1.0 if DEEP else 0.1, short=not DEEP), tmp_path, said.append
    )
    told = "\n".join(said) + report(result)
    assert not result.failed, told
    numbers = {one.name: one.value for one in result.numbers}
    # That nothing is lost says something only where something was done.
    assert sum(result.promises.values()) > 0, told
    assert all(one.legs for one in result.recoveries), told
    assert numbers["duplicate messages at the hook"] == 0
