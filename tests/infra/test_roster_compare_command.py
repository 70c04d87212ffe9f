"""`tillflow roster compare`, on one small week."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from infra.cli import main
from infra.commands import roster_compare
from operators.roster.compare.measures import MEASURES, Outcome
from operators.roster.compare.week import WAYS


def test_a_week_is_compared() -> None:
    words = "--weeks 1 --people 6 --days 2 --seconds 1 --json"
    told = CliRunner().invoke(main, ["roster", "compare", *words.split()])
    assert told.exit_code == 0, told.output
    plain = json.loads(told.stdout)
    assert set(plain["means"]) == set(WAYS)
    assert set(plain["means"]["tillflow"]) == set(MEASURES)
    # The search begins with a legal one: however slow the machine is, its roster is legal.
    assert plain["broken"] == dict.fromkeys(WAYS, 0)
    assert plain["differences"]["hours"]["low"] is None


def test_the_table_has_the_claims_beside_and_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = iter([1.0, 2.0])

    def made(*_: object, **__: object) -> dict[str, Outcome]:
        level = next(levels)
        return {
            way: Outcome(dict.fromkeys(MEASURES, level * (3 - at)), ("rest: e01",) * (at == 0))
            for at, way in enumerate(WAYS)
        }

    monkeypatch.setattr(roster_compare, "week", made)
    told = CliRunner().invoke(main, ["roster", "compare", "--weeks", "2"])
    assert told.exit_code == 0, told.output
    assert "6.2 -> 3.1" in told.stdout
    assert "by hand: 2 of 2 rosters break a hard rule" in told.stdout
    assert "mean wait, min: -66.7% (-66.7% to -66.7%) (bar: -50%): met" in told.stdout
    assert "wishes met, %: -66.7% (-66.7% to -66.7%) (bar: up): NOT met" in told.stdout
