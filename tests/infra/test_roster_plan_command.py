"""From doors and tills to a published week that the roster flow watches, command by command."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml
from click.testing import CliRunner, Result
from flow_driver import query

from infra.cli import main
from operators.roster.evaluate import evaluate
from operators.roster.prepare import prepare
from operators.roster.written import from_plain
from schemas.roster_file import load_roster

CHAIN = """
timezone: Asia/Shanghai
places: {S001: {kind: store}}
footfall: {hours: [{store: "*", opens: "09:00", closes: "21:30"}]}
forecast: {windows: 4, planning: "20:00", refresh_minutes: 240}
staffing: {shops: ["weeks/*/roster.yaml"], days: 2}
"""
PEOPLE = """
shop: S001
opens: 09:00
closes: 21:30
shifts: {earliest: 08:30, latest: 22:00, starts_every: 90, shortest_hours: 4, longest_hours: 9}
tasks: {till: {service_s: 76, patience_s: 480, goal: {share: 0.8, within_s: 120}}}
employees:
  - {name: an, skills: {till: 4}, pay: 3200}
  - {name: bei, skills: {till: 3}, pay: 2900}
  - {name: chun, skills: {till: 2}, pay: 2600}
  - {name: dan, skills: {till: 2}, pay: 2600}
duties: [{name: opening, task: till, minutes: 30, start: 08:30, end: 09:00}]
rules: {availability: on, qualification: on, rest: {hours: 11}, days_in_a_row: {most: 5},
        opening_duties: on, waiting: on, pay: on, steadiness: on}
"""


def tillflow(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated shop's 18 days, Monday 2 March to Thursday the 19th, counted into windows."""
    found = tmp_path_factory.mktemp("chain")
    (found / "chain.yaml").write_text(CHAIN)
    (found / "people.yaml").write_text(PEOPLE)
    size = ("--days", 18, "--stores", 1, "--skus", 5)
    told = tillflow("simulate", *size, "--out", found / "events")
    assert told.exit_code == 0, told.output
    given = ("--config", found / "chain.yaml", "--warehouse", found / "w.duckdb")
    told = tillflow("run", "footfall", "--source", found / "events", *given, "--no-recovery")
    assert told.exit_code == 0, told.output
    return found


def plan(folder: Path, day: str, *more: object) -> Result:
    words = ("S001", "--week", day, "--people", folder / "people.yaml", "--seconds", 3)
    given = ("--config", folder / "chain.yaml", "--warehouse", folder / "w.duckdb", "--gap", 1)
    return tillflow("roster", "plan", *words, *given, "--out", folder / "weeks" / day, *more)


def test_from_footfall_to_a_roster_that_is_watched(folder: Path) -> None:
    warehouse = folder / "w.duckdb"
    told = plan(folder, "2026-03-18", "--days", 2, "--publish")
    assert told.exit_code == 0, told.output
    assert "S001, 2026-03-18 to 2026-03-19: a forecast made as of 2026-03-18 00:00" in told.output
    # What was written is a roster of that file, legal by the evaluator, for what was forecast.
    week = load_roster(folder / "weeks" / "2026-03-18" / "roster.yaml")
    problem = prepare(week)
    plain = (folder / "weeks" / "2026-03-18" / "roster.json").read_bytes()
    roster = from_plain(problem, msgspec.json.decode(plain))
    assert evaluate(problem, roster).violations == ()
    arrivals = sum(sum(one.arrivals) for one in week.need)
    [(forecast, days)] = query(
        warehouse,
        "SELECT sum(mean), count(DISTINCT day) FROM forecast_15m "
        "WHERE measure = 'orders' AND day >= '2026-03-18'",
    )
    assert days == 2
    assert arrivals == pytest.approx(forecast, abs=0.1)
    # Need beside what is scheduled, shifts, quarters and duties are in the warehouse.
    [(needed, there)] = query(warehouse, "SELECT sum(needed), sum(scheduled) FROM staffing_15m")
    heads = [one.heads for by_slot in problem.demands.values() for one in by_slot.values()]
    assert needed == sum(heads) >= 100
    assert there > needed / 2
    assert query(warehouse, "SELECT count(*) FROM roster_shift") == [(len(roster.shifts),)]
    assert query(warehouse, "SELECT count(*) FROM roster_duty") == [(2,)]
    # The flow has its days beside that roster.
    flow = ("--config", folder / "chain.yaml", "--warehouse", warehouse, "--no-recovery")
    told = tillflow("run", "roster", *flow, "--since", "2026-03-18T08:00:00+08:00")
    assert told.exit_code == 0, told.output
    [(rows, without)] = query(
        warehouse,
        "SELECT count(*), count(*) FILTER (scheduled IS NULL) FROM staffing_15m "
        "WHERE day = '2026-03-18' AND updated_at >= TIMESTAMPTZ '2026-03-18T00:00:00Z'",
    )
    assert rows > 20
    assert without == 0
    # The next days: their forecast is there by now, and who worked before rests.
    again = plan(folder, "2026-03-19", "--days", 1)
    assert again.exit_code == 0, again.output
    assert "in the warehouse" in again.output
    file = yaml.safe_load((folder / "weeks" / "2026-03-19" / "roster.yaml").read_text())
    before = {one.person for one in roster.shifts if one.day == 0}
    rested = {one["name"] for one in file["employees"] if "ended" in one.get("last_weeks", {})}
    assert rested == {problem.people[at].name for at in before}
    assert {one["employee"] for one in file["published"]} == {
        problem.people[one.person].name for one in roster.shifts if one.day == 1
    }


def test_what_cannot_be_planned_is_told(folder: Path) -> None:
    late = plan(folder, "2026-09-07")
    assert late.exit_code == 1
    assert "forecasts reach 27 days" in late.output
    begun = plan(folder, "2026-03-10", "--at", "2026-03-11T09:00:00+08:00")
    assert begun.exit_code == 1
    assert "the week begins on 2026-03-10, before 2026-03-11 09:00" in begun.output
    words = ("S002", "--week", "2026-03-17", "--people", folder / "people.yaml")
    other = tillflow("roster", "plan", *words, "--warehouse", folder / "w.duckdb")
    assert other.exit_code == 1
    assert "is of S001, not of S002" in other.output
    none = tillflow("roster", "plan", "S001", *words[1:], "--warehouse", folder / "none.duckdb")
    assert none.exit_code == 1
    assert "no warehouse at" in none.output
