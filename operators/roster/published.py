"""A published roster as rows of the warehouse, and back again.

Rosters go by the shop's wall clock, rows by real time: where clocks change, a quarter of an hour
of the roster comes twice, or has no row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from operators.footfall.facts import QUARTER_US
from operators.forecast.windows import quarters_of
from operators.roster.problem import SLOTS, Problem, clock
from operators.roster.roster import Roster, Shift
from schemas.instants import to_datetime

Row = tuple[Any, ...]


class PublishedRows(NamedTuple):
    """Rows of roster_shift, roster_task_15m and roster_duty."""

    shifts: list[Row]
    tasks: list[Row]
    duties: list[Row]


def published_rows(problem: Problem, roster: Roster, zone: str, published_at: int) -> PublishedRows:
    """All rows of a roster; `published_at` in microseconds since 1970."""
    found = PublishedRows([], [], [])
    for shift in roster.shifts:
        _add_shift(problem, shift, zone, published_at, found)
    for duty, start in zip(problem.duties, roster.duties, strict=False):
        day, slot = problem.days[start // SLOTS], start % SLOTS
        first = _instants(zone, day, slot, slot + 1)[0]
        fixed = (clock(slot), duty.task, duty.heads, duty.length * 15, published_at)
        found.duties.append((problem.shop, first, duty.name, day, *fixed))
    return found


def _add_shift(
    problem: Problem, shift: Shift, zone: str, published_at: int, found: PublishedRows
) -> None:
    who, day = problem.people[shift.person].name, problem.days[shift.day]
    paused = problem.pause if shift.pause is not None else 0
    start, end = _instants(zone, day, shift.start, shift.end)
    found.shifts.append(
        (
            problem.shop,
            day,
            who,
            clock(shift.start),
            clock(shift.end),
            None if shift.pause is None else clock(shift.pause),
            paused * 15,
            start,
            end,
            (shift.end - shift.start - paused) * 15,
            published_at,
        )
    )
    where = ZoneInfo(zone)
    for quarter, slot in quarters_of(zone, date.fromisoformat(day)):
        if not shift.start <= slot < shift.end:
            continue
        resting = shift.pause is not None and shift.pause <= slot < shift.pause + paused
        at = quarter * QUARTER_US
        local = to_datetime(at).astimezone(where).isoformat(timespec="minutes")
        doing = (shift.tasks[slot - shift.start], int(resting))
        found.tasks.append((problem.shop, at, who, local, day, *doing, published_at))


def _instants(zone: str, day: str, start: int, end: int) -> tuple[int, int]:
    """Begin and end of slots of a day; what the clock jumps over counts as the jump."""
    quarters = quarters_of(zone, date.fromisoformat(day))
    after = quarters[-1][0] + 1
    first = next((quarter for quarter, slot in quarters if slot >= start), after)
    last = max((quarter + 1 for quarter, slot in quarters if slot < end), default=first)
    return first * QUARTER_US, max(first, last) * QUARTER_US


Plain = dict[str, Any]


def plain_rosters(
    shifts: Iterable[Mapping[str, Any]],
    tasks: Iterable[Mapping[str, Any]],
    duties: Iterable[Mapping[str, Any]],
) -> dict[str, Plain]:
    """Published rosters by shop, in the words of `operators.roster.written`, from rows as read."""
    doing: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    for row in tasks:
        if row["task"] is not None:
            key = (row["store"], row["day"], row["employee"])
            doing[key][row["local_start"][11:16]] = row["task"]
    found: dict[str, Plain] = {}
    for row in shifts:
        plain = found.setdefault(row["store"], {"shifts": [], "duties": []})
        mine = doing[row["store"], row["day"], row["employee"]]
        plain["shifts"].append(
            {
                "employee": row["employee"],
                "date": row["day"],
                "start": row["starts"],
                "end": row["ends"],
                "break": row["break_starts"],
                "tasks": [
                    {"task": task, "start": starts, "end": _quarter_later(starts)}
                    for starts, task in sorted(mine.items())
                ],
            }
        )
    for row in duties:
        plain = found.setdefault(row["store"], {"shifts": [], "duties": []})
        plain["duties"].append(
            {name: row[name] for name in ("duty", "task", "heads")}
            | {"date": row["day"], "start": row["starts"]}
        )
    return found


def of_days(plain: Plain, days: Sequence[str], duties: Sequence[str]) -> Plain:
    """What of it lies in these days; duties in the order in which the problem has their names."""
    there = set(days)
    left = sorted(
        (one for one in plain["duties"] if one["date"] in there),
        key=lambda one: (one["date"], one["start"]),
    )
    ordered = []
    for name in duties:
        at = next((at for at, one in enumerate(left) if one["duty"] == name), None)
        if at is not None:
            ordered.append(left.pop(at))
    shifts = [one for one in plain["shifts"] if one["date"] in there]
    return {"shifts": shifts, "duties": ordered}


def _quarter_later(starts: str) -> str:
    minutes = int(starts[:2]) * 60 + int(starts[3:]) + 15
    return f"{minutes // 60:02}:{minutes % 60:02}"
