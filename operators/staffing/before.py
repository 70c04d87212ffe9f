"""What a week goes on from: the rosters that are published for the weeks before it, and for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from msgspec.structs import replace

from operators.roster.problem import SLOTS_AN_HOUR, slot_of
from operators.roster.published import Plain
from schemas.roster import Employee, LastWeeks, PlannedShift, RosterFile

# So far back fairness looks; rest and runs of days never need more.
WEEKS_BACK = 4
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)


def went_before(file: RosterFile, plain: Plain | None) -> RosterFile:
    """The file with what is published in place of what it does not say itself.

    `last_weeks` of everybody whose file has none follow from the shifts of the weeks before;
    `published` is what there is for these days already, where the file lists none.
    """
    if plain is None:
        return file
    last = file.first_day + timedelta(days=file.days)
    known = {employee.name for employee in file.employees}
    mine: dict[str, dict[date, Mapping[str, Any]]] = defaultdict(dict)
    there = []
    for shift in plain["shifts"]:
        day, who = date.fromisoformat(shift["date"]), shift["employee"]
        if day < file.first_day:
            mine[who][day] = shift
        elif day < last and who in known:
            there.append(PlannedShift(who, day, shift["start"], shift["end"]))
    weeks = _weeks(file.first_day, mine.values())
    employees = tuple(
        who
        if who.last_weeks != LastWeeks()
        else replace(who, last_weeks=_last_weeks(file, who, mine[who.name], weeks))
        for who in file.employees
    )
    return replace(file, employees=employees, published=file.published or tuple(there))


def _weeks(first: date, everybody: Iterable[Mapping[date, object]]) -> list[date]:
    """The first days of those of the weeks before of which something was published."""
    worked = {day for days in everybody for day in days}
    begins = [first - _WEEK * back for back in range(1, WEEKS_BACK + 1)]
    return [begin for begin in begins if any(begin <= day < begin + _WEEK for day in worked)]


def _last_weeks(
    file: RosterFile,
    who: Employee,
    shifts: Mapping[date, Mapping[str, Any]],
    weeks: Sequence[date],
) -> LastWeeks:
    run = 0
    while file.first_day - (run + 1) * _DAY in shifts:
        run += 1
    yesterday = shifts.get(file.first_day - _DAY)
    late = file.rules.fair_evenings
    in_weeks = {
        day: shift
        for day, shift in shifts.items()
        if any(begin <= day < begin + _WEEK for begin in weeks)
    }
    pause = file.shifts.pause
    worked = 0
    for shift in in_weeks.values():
        worked += slot_of(shift["end"]) - slot_of(shift["start"])
        if shift["break"] is not None and pause is not None:
            worked -= pause.minutes // 15
    contract = (who.least_hours + who.most_hours) / 2 * len(weeks)
    return LastWeeks(
        evenings=sum(
            late is not None and slot_of(shift["end"]) > slot_of(late.ends_after)
            for shift in in_weeks.values()
        ),
        weekend_days=sum(day.weekday() >= 5 for day in in_weeks),
        hours_over=worked / SLOTS_AN_HOUR - contract if weeks else 0.0,
        days_in_a_row=run,
        ended=None if yesterday is None else yesterday["end"],
    )
