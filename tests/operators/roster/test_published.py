"""Published rosters: rows by real time, and the same roster back from them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roster_shops import small_files, small_problem, some_rosters

from operators.roster.published import PublishedRows, of_days, plain_rosters, published_rows
from operators.roster.roster import Roster, Shift
from operators.roster.written import from_plain
from schemas.instants import MINUTE_US
from schemas.roster import Employee, RosterFile, Shifts, Task
from schemas.roster_tables import ROSTER_DUTY, ROSTER_SHIFT, ROSTER_TASK_15M


def as_read(rows: PublishedRows) -> list[list[dict[str, Any]]]:
    """Rows as the warehouse answers them."""
    tables = (ROSTER_SHIFT, ROSTER_TASK_15M, ROSTER_DUTY)
    return [
        [dict(zip(table.names, row, strict=True)) for row in values]
        for table, values in zip(tables, rows, strict=True)
    ]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_what_was_published_is_read_back(data: st.DataObject) -> None:
    problem = small_problem(data.draw(small_files()))
    roster = data.draw(some_rosters(problem))
    rows = published_rows(problem, roster, "Asia/Kathmandu", 7)
    for table, values in zip((ROSTER_SHIFT, ROSTER_TASK_15M, ROSTER_DUTY), rows, strict=True):
        keys = [tuple(row[table.names.index(name)] for name in table.primary_key) for row in values]
        assert len(set(keys)) == len(keys)
    plain = plain_rosters(*as_read(rows)).get(problem.shop, {"shifts": [], "duties": []})
    names = [duty.name for duty in problem.duties]
    back = from_plain(problem, of_days(plain, problem.days, names))
    assert sorted(back.shifts, key=lambda one: one[:2]) == list(roster.shifts)
    assert back.duties == roster.duties


@pytest.mark.parametrize(
    ("day", "hours", "quarters"), [(date(2026, 10, 25), 9, 36), (date(2026, 3, 29), 7, 28)]
)
def test_clock_changes(day: date, hours: int, quarters: int) -> None:
    """A night shift from 00:00 to 08:00 takes an hour more or less of real time."""
    file = RosterFile(
        shop="berlin",
        first_day=day,
        days=1,
        employees=(Employee("ann", {"till": 1}),),
        tasks={"till": Task()},
        need=(),
        shifts=Shifts(earliest="00:00", latest="08:00", longest_hours=8, pause=None),
    )
    problem = small_problem(file)
    shift = Shift(0, 0, 0, 32, None, ("till",) * 32)
    rows = published_rows(problem, Roster((shift,)), "Europe/Berlin", 7)
    [row] = as_read(rows)[0]
    assert row["end"] - row["start"] == timedelta(hours=hours) // timedelta(microseconds=1)
    assert row["work_minutes"] == 8 * 60
    assert len(rows.tasks) == quarters
    starts = [one["start"] for one in as_read(rows)[1]]
    assert starts == list(range(row["start"], row["end"], 15 * MINUTE_US))
    if hours == 9:
        back = from_plain(problem, plain_rosters(*as_read(rows))["berlin"])
        assert back.shifts == (shift,)
