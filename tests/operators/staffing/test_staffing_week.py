"""A week from its forecast: arrivals by task, and what the published weeks before it leave."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from depth import cases
from hypothesis import given, settings
from roster_shops import FRIDAY, small_files

from operators.roster.need.heads import heads_carried
from operators.roster.prepare import queues_of, service_goal
from operators.staffing.before import went_before
from operators.staffing.week import WeekError, expected_of, measures_of, week_of
from schemas.roster import Break, Employee, LastWeeks, PlannedShift, RosterFile, Shifts, Task
from schemas.roster_file import RosterProblem, load_roster, read_roster
from schemas.roster_rules import FairEvenings, Rules
from schemas.roster_written import written_roster

MONDAY = date(2026, 11, 30)
EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"


def people(**more: Any) -> RosterFile:
    values: dict[str, Any] = {
        "shop": "corner",
        "first_day": MONDAY,
        "employees": (
            Employee("anna", {"till": 2}, least_hours=8, most_hours=24),
            Employee("bo", {"till": 1}, last_weeks=LastWeeks(evenings=9)),
        ),
        "tasks": {"till": Task(service_s=120, share=0.5), "floor": Task()},
        "need": (),
        "days": 2,
        "shifts": Shifts(earliest="09:00", latest="12:00", pause=Break(minutes=30)),
        "rules": Rules(fair_evenings=FairEvenings("20:00")),
    }
    return RosterFile(**values | more)


def shift(who: str, back: int, start: str, end: str, pause: str | None = None) -> dict[str, Any]:
    day = (MONDAY - timedelta(days=back)).isoformat()
    return {"employee": who, "date": day, "start": start, "end": end, "break": pause, "tasks": []}


def test_heads_follow_from_the_forecast_by_the_tasks_goal() -> None:
    means = np.zeros(96)
    means[40:52] = np.linspace(2, 30, 12)
    week = week_of(people(), {MONDAY: {"orders": means}})
    [need] = week.file.need
    assert (need.task, need.date, need.start) == ("till", MONDAY, "10:00")
    assert need.arrivals == tuple(round(float(one) / 2, 4) for one in means[40:52])
    task = week.file.tasks["till"]
    wanted = heads_carried(queues_of(task, need), service_goal(task), 900.0)
    assert week.needs[0].heads == tuple(one.heads for one in wanted)
    assert max(week.needs[0].heads) > 1
    assert week.notes == (
        "customers are expected from 10:00 to 13:00, shifts lie between 09:00 and 12:00: "
        "nobody can serve the rest",
        "nobody is needed on 2026-12-01: no customers are expected",
    )
    assert measures_of(week.file) == ["orders"]


def test_a_week_without_customers_has_no_roster() -> None:
    with pytest.raises(WeekError, match="nobody is needed in corner from 2026-11-30 to 2026-12-01"):
        week_of(people(), {MONDAY: {"entries": np.ones(96)}})


def test_a_quarter_that_comes_twice_counts_once() -> None:
    day = "2026-10-25"
    rows = [("02:00+02:00", 4.0), ("02:15+02:00", 1.0), ("02:00+01:00", 6.0)]
    found = expected_of(("entries", day, f"{day}T{local}", mean) for local, mean in rows)
    assert found[date(2026, 10, 25)]["entries"][8:10].tolist() == [5.0, 1.0]


def test_published_weeks_before_are_carried_on() -> None:
    shifts = [
        shift("anna", 1, "14:00", "21:00", "17:00"),
        shift("anna", 2, "14:00", "20:00"),
        shift("anna", 4, "10:00", "14:00"),
        shift("anna", 9, "10:00", "22:00"),
        # Longer ago than four weeks, and of somebody who has left.
        shift("anna", 30, "10:00", "22:00"),
        shift("dan", 1, "10:00", "22:00"),
        shift("bo", 1, "10:00", "22:00"),
        shift("anna", 0, "09:00", "12:00"),
        shift("dan", 0, "09:00", "12:00"),
    ]
    found = went_before(people(), {"shifts": shifts, "duties": []})
    anna, bo = found.employees
    # 6.5 + 6 + 4 hours in one week, 12 in the other, beside a contract of 16 a week.
    assert anna.last_weeks == LastWeeks(2, 3, 28.5 - 32, 2, "21:00")
    assert bo.last_weeks == LastWeeks(evenings=9)
    assert found.published == (PlannedShift("anna", MONDAY, "09:00", "12:00"),)
    assert went_before(people(), None) == people()
    listed = people(published=(PlannedShift("bo", MONDAY, "09:00", "12:00"),))
    assert went_before(listed, {"shifts": shifts, "duties": []}).published == listed.published


def test_nothing_published_leaves_nothing() -> None:
    assert went_before(people(), {"shifts": [], "duties": []}) == people()


@given(small_files())
@settings(max_examples=cases(25, 120), deadline=None)
def test_a_written_file_reads_back(file: RosterFile) -> None:
    assert read_roster(written_roster(file, "two\nlines")) == file


ROSTERS = sorted([*EXAMPLES.glob("roster*.yaml"), *EXAMPLES.glob("staffing/shops/**/*.yaml")])


@pytest.mark.parametrize("path", ROSTERS, ids=lambda path: path.name)
def test_the_examples_are_written_and_read_back(path: Path) -> None:
    file = load_roster(path)
    assert read_roster(written_roster(file)) == file


def test_people_without_a_week_are_given_one() -> None:
    plain = msgspec.to_builtins(people())
    for name in ("first_day", "days", "need"):
        del plain[name]
    text = msgspec.yaml.encode(plain).decode()
    with pytest.raises(RosterProblem, match="missing required field `first_day`"):
        read_roster(text)
    assert read_roster(text, week=(FRIDAY, 3)) == people(first_day=FRIDAY, days=3)
