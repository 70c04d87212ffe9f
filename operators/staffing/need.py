"""Heads needed on a store's day, from what is expected of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from operators.footfall.facts import QUARTER_US
from operators.forecast.windows import quarters_of
from operators.roster.need.carry import Interval, follow
from operators.roster.need.heads import Need, heads_carried
from operators.roster.prepare import queues_of, service_goal, waiting_costs
from operators.roster.problem import SLOT_S, Demand, clock, slot_of
from operators.staffing.shop import Rostered
from schemas.forecast_rules import Measure
from schemas.instants import to_datetime
from schemas.roster import RosterFile, Task, TaskNeed

Floats = NDArray[np.float64]
# Less than this in a quarter of an hour is nobody.
_NOBODY = 0.005
# Days of tasks that are remembered: those of a large chain.
_REMEMBERED = 10_000


class TaskDay(NamedTuple):
    """A task's day from slot `first` on: what comes, who is needed, and how it will be.

    `alone`: what each interval is like with those needed; `measure` is None where heads are given.
    """

    task: str
    measure: Measure | None
    first: int
    need: TaskNeed
    heads: tuple[int, ...]
    alone: tuple[Interval, ...]


class NeedError(Exception):
    """The need of a task cannot be told; the message says why."""


def task_days(
    file: RosterFile, day: date, expected: Mapping[Measure, Floats]
) -> Iterator[TaskDay | NeedError]:
    """Every task of a shop: `expected` has the means of 96 quarters of each measure.

    A task with a service time follows the forecast; of others the file says the heads.
    """
    for name, task in file.tasks.items():
        if task.service_s is None:
            for need in file.need:
                if need.task == name and need.date == day and need.heads:
                    yield TaskDay(name, None, slot_of(need.start), need, need.heads, ())
            continue
        mean = expected.get(task.measure)
        if mean is None:
            continue
        try:
            found = _queued(file.shop, name, task, day, mean)
        except NeedError as wrong:
            yield wrong
            continue
        if found is not None:
            yield found


def _queued(shop: str, name: str, task: Task, day: date, mean: Floats) -> TaskDay | None:
    open_slots = np.flatnonzero(mean > _NOBODY)
    if not len(open_slots):
        return None
    first, last = int(open_slots[0]), int(open_slots[-1]) + 1
    arrivals = tuple(round(float(one), 4) for one in mean[first:last] * task.share)
    need = TaskNeed(name, day, clock(first), arrivals)
    try:
        found = _carried(task, arrivals)
    except ValueError as wrong:
        msg = f"{shop}, {name} on {day}: {wrong}"
        raise NeedError(msg) from None
    heads = tuple(one.heads for one in found)
    return TaskDay(name, task.measure, first, need, heads, tuple(one.interval for one in found))


# Through a night nothing changes what is expected, and rosters change once a week.
@lru_cache(maxsize=_REMEMBERED)
def _carried(task: Task, arrivals: tuple[float, ...]) -> tuple[Need, ...]:
    return tuple(heads_carried(queues_of(task, _need(arrivals)), service_goal(task), SLOT_S))


@lru_cache(maxsize=_REMEMBERED)
def _followed(
    task: Task, arrivals: tuple[float, ...], serving: tuple[int, ...]
) -> tuple[Interval, ...]:
    return tuple(follow(queues_of(task, _need(arrivals)), serving, SLOT_S))


@lru_cache(maxsize=_REMEMBERED)
def _priced(task: Task, arrivals: tuple[float, ...]) -> tuple[Demand, ...]:
    return tuple(waiting_costs(task, queues_of(task, _need(arrivals))))


def spare_heads(one: TaskDay, task: Task, serving: Sequence[int], slot_pay: int) -> list[int]:
    """Heads above those needed that save less waiting than they are paid for, by interval.

    A roster may well have more people than the goal of a task asks for: it weighs pay and waiting.
    """
    if not one.need.arrivals:
        return [max(0, there - heads) for there, heads in zip(serving, one.heads, strict=True)]
    found = []
    demands = _priced(task, one.need.arrivals)
    for there, heads, demand in zip(serving, one.heads, demands, strict=True):
        left = there
        while left > heads and demand.with_heads(left - 1) - demand.with_heads(left) < slot_pay:
            left -= 1
        found.append(there - left)
    return found


def _need(arrivals: tuple[float, ...]) -> TaskNeed:
    return TaskNeed("any", date.min, "00:00", arrivals)


def scheduled_intervals(
    one: TaskDay, task: Task, there: Rostered
) -> list[tuple[int, Interval | None]]:
    """Heads by the roster and what each interval is like with them."""
    serving = [there.heads(one.task, one.first + at) for at in range(len(one.heads))]
    if not one.need.arrivals:
        return [(heads, None) for heads in serving]
    intervals = _followed(task, one.need.arrivals, tuple(serving))
    return list(zip(serving, intervals, strict=True))


def staffing_rows(
    file: RosterFile,
    one: TaskDay,
    there: Rostered | None,
    zone: str,
    at: int,
) -> Iterator[tuple[Any, ...]]:
    """Rows of staffing_15m of a task's day, of the quarters that begin at `at` or later."""
    where = ZoneInfo(zone)
    day = one.need.date
    with_roster = scheduled_intervals(one, file.tasks[one.task], there) if there else None
    for quarter, slot in quarters_of(zone, day):
        number, start = slot - one.first, quarter * QUARTER_US
        if start < at or not 0 <= number < len(one.heads):
            continue
        heads, interval = one.heads[number], one.alone[number] if one.alone else None
        serving: int | None = None
        if with_roster is not None:
            serving, interval = with_roster[number]
        yield (
            file.shop,
            start,
            one.task,
            to_datetime(start).astimezone(where).isoformat(timespec="minutes"),
            day.isoformat(),
            one.need.arrivals[number] if one.need.arrivals else None,
            heads,
            serving,
            None if serving is None else serving - heads,
            None if interval is None else interval.wait_s,
            None if interval is None else interval.left,
            one.measure,
            at,
        )
