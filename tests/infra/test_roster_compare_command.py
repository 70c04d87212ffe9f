"""`tillflow roster compare`, on one small week."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from click.testing import CliRunner

from infra.cli import main
from infra.commands import roster_compare
from operators.roster.answer import Budget
from operators.roster.compare.measures import MEASURES, Outcome
from operators.roster.compare.scenario import BY_GOAL, RUSH, SCENARIOS, Scenario
from operators.roster.compare.week import WAYS


@pytest.mark.parametrize("shops", ["rush", "ample"])
def test_a_week_is_compared(shops: str) -> None:
    words = f"--shops {shops} --weeks 1 --people 6 --days 2 --seconds 2 --json"
    told = CliRunner().invoke(main, ["roster", "compare", *words.split()])
    assert told.exit_code == 0, told.output
    plain = json.loads(told.stdout)
    assert set(plain["means"]) == set(WAYS)
    assert set(plain["means"]["tillflow"]) == set(MEASURES)
    # The search begins with a legal one: however slow the machine is, its roster is legal.
    assert plain["broken"] == dict.fromkeys(WAYS, 0)
    assert plain["differences"]["hours"]["low"] is None
    assert plain["shops"]["name"] == shops
    assert plain["shops"]["waiting_cost"] == SCENARIOS[shops].waiting_cost


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


@pytest.mark.parametrize(
    ("words", "scenario", "stretch"),
    [
        ("", RUSH, 20.0),
        ("--shops ample --wall", SCENARIOS["ample"], 1.0),
        (
            "--manager goal --peaks 0.5 --patience 0.25 --luck 0.1 --waiting-cost 900 --busy 1.2",
            RUSH.changed(
                manager=BY_GOAL, peaks=0.5, patience=0.25, luck=0.1, waiting_cost=900, busy=1.2
            ),
            20.0,
        ),
    ],
)
def test_options_make_the_shop_and_the_budget(
    monkeypatch: pytest.MonkeyPatch, words: str, scenario: Scenario, stretch: float
) -> None:
    seen: list[tuple[Any, ...]] = []

    def made(*told: Any, **__: object) -> dict[str, Outcome]:
        seen.append(told)
        return {way: Outcome(dict.fromkeys(MEASURES, 1.0), ()) for way in WAYS}

    monkeypatch.setattr(roster_compare, "week", made)
    many = scenario.people[1] - scenario.people[0] + 2
    told = CliRunner().invoke(main, ["roster", "compare", "--weeks", str(many), *words.split()])
    assert told.exit_code == 0, told.output
    assert all(one[0] == scenario for one in seen)
    least, most = scenario.people
    assert [one[2] for one in seen] == [*range(least, most + 1), least]
    budget: Budget = seen[0][4]
    assert budget.stretch == stretch
    # Seconds are of the processor unless the wall's are asked for: others' work costs nothing.
    assert seen[0][3] is (time.monotonic if stretch == 1.0 else time.process_time)
    assert scenario.name in told.stdout
    # Every week and purpose has draws of its own, the same in every run.
    first = [one[1]("shop").random() for one in seen]
    assert len(set(first)) == many
    assert first == [one[1]("shop").random() for one in seen]


def test_what_is_no_shop_is_told() -> None:
    told = CliRunner().invoke(main, ["roster", "compare", "--shops", "empty"])
    assert told.exit_code == 2
    assert "'rush', 'ample'" in told.output
