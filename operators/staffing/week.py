"""A shop's week to be rostered: the file of its people, with heads needed by the forecast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from operators.roster.problem import SLOTS, clock, slot_of
from operators.staffing.need import NeedError, TaskDay, task_days
from schemas.forecast_rules import Measure
from schemas.roster import RosterFile

Floats = NDArray[np.float64]
# Means of 96 quarters, by day and measure.
Expected = dict[date, dict[Measure, Floats]]
# Of a row of forecast_15m: measure, day, local start, mean.
Quarter = tuple[Measure, str, str, float]


class Week(NamedTuple):
    """A roster file with its need, the tasks' days behind it, and what a planner should know."""

    file: RosterFile
    needs: tuple[TaskDay, ...]
    notes: tuple[str, ...]


class WeekError(Exception):
    """No roster can be made of this week; the message says why."""


def measures_of(file: RosterFile) -> list[Measure]:
    """The measures that come to its tasks, each once."""
    found = [task.measure for task in file.tasks.values() if task.service_s is not None]
    return list(dict.fromkeys(found))


def expected_of(quarters: Iterable[Quarter]) -> Expected:
    """Rows of forecast_15m as days of 96 quarters; a quarter that comes twice has its mean."""
    found: Expected = {}
    twice: dict[tuple[date, Measure], Floats] = {}
    for measure, day_text, local, mean in quarters:
        day, slot = date.fromisoformat(day_text), slot_of(local[11:16])
        means = found.setdefault(day, {}).setdefault(measure, np.zeros(SLOTS))
        counts = twice.setdefault((day, measure), np.zeros(SLOTS))
        counts[slot] += 1
        means[slot] += (mean - means[slot]) / counts[slot]
    return found


def week_of(people: RosterFile, expected: Mapping[date, Mapping[Measure, Floats]]) -> Week:
    """The roster file of a week whose need follows from the forecast.

    Tasks with a service time follow it, by the goal of the task; heads of others are those of the
    file, as are duties and rules.

    Raises:
        WeekError: a goal cannot be kept, or nobody is needed on any day.
    """
    days = [people.first_day + timedelta(days=ahead) for ahead in range(people.days)]
    needs = []
    for day in days:
        for one in task_days(people, day, expected.get(day, {})):
            if isinstance(one, NeedError):
                raise WeekError(str(one))
            needs.append(one)
    if not needs:
        msg = (
            f"nobody is needed in {people.shop} from {days[0]} to {days[-1]}: the forecast has "
            "no customers, or no task has a service_s and the measure that is forecast"
        )
        raise WeekError(msg)
    file = replace(people, need=tuple(one.need for one in needs))
    return Week(file, tuple(needs), tuple(_notes(file, needs, days)))


def _notes(file: RosterFile, needs: Sequence[TaskDay], days: Sequence[date]) -> Iterable[str]:
    earliest, latest = slot_of(file.shifts.earliest), slot_of(file.shifts.latest)
    first = min(one.first for one in needs)
    last = max(one.first + len(one.heads) for one in needs)
    if first < earliest or last > latest:
        yield (
            f"customers are expected from {clock(first)} to {clock(last)}, shifts lie between "
            f"{file.shifts.earliest} and {file.shifts.latest}: nobody can serve the rest"
        )
    there = {one.need.date for one in needs}
    for day in days:
        if day not in there:
            yield f"nobody is needed on {day}: no customers are expected"
