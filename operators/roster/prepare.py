"""A roster file made into a problem: needs from arrivals, costs of heads, shapes of shifts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from msgspec.structs import replace

from operators.roster.need.duties import Duty
from operators.roster.need.erlang import Queue
from operators.roster.need.heads import Goal, heads_carried
from operators.roster.problem import (
    SLOT_S,
    SLOTS,
    SLOTS_AN_HOUR,
    Demand,
    Past,
    Person,
    Place,
    Problem,
    Wanted,
    slot_of,
)
from schemas.roster import WEEKDAYS, Employee, PlannedShift, RosterFile, Task, TaskNeed
from schemas.roster_rules import LeastHeads, Rules

# A head more than these above the goal, or one that saves less than a minor unit, is not counted.
HEADS_ABOVE_GOAL = 3
# Heads missing are looked at one by one down to so many below the goal.
HEADS_BELOW_GOAL = 8


class PrepareError(Exception):
    """The file asks for something that no roster can be made of."""


def prepare(file: RosterFile) -> Problem:
    """The problem of a file.

    Raises:
        PrepareError: a duty has no room, or no shape of a shift is left.
    """
    dates = [file.first_day + timedelta(days=at) for at in range(file.days)]
    at_date = {one: at for at, one in enumerate(dates)}
    people = tuple(_people(file, dates))
    names = {(one.name, one.shop): at for at, one in enumerate(people)}
    shops = {shop.name: at for at, shop in enumerate(file.shops)}
    pause = file.shifts.pause
    weekdays = tuple(one.weekday() for one in dates)
    tasks = [task_name(shop, task) for shop in shops or [None] for task in file.tasks]
    demands: dict[str, dict[int, Demand]] = {name: {} for name in tasks}
    wage = sum(one.pay for one in people) / max(1, len(people)) / SLOTS_AN_HOUR
    for need in file.need:
        if need.date in at_date:
            demands[task_name(need.shop, need.task)].update(
                _demands(file.tasks[need.task], need, at_date[need.date] * SLOTS, wage)
            )
    bare = Problem(
        shop=file.shop,
        days=tuple(one.isoformat() for one in dates),
        weekdays=weekdays,
        open_slots=(slot_of(file.opens), slot_of(file.closes)),
        people=people,
        tasks=tuple(tasks),
        shapes=(),
        demands=demands,
        duties=tuple(_duties(file, weekdays)),
        rules=_rules(file),
        pause=pause.minutes // 15 if pause else 0,
        around=pause.around_middle // 15 if pause else 0,
        pause_after=int(pause.after_hours * SLOTS_AN_HOUR) if pause else 0,
        published=_planned(file.published, names, shops, at_date),
        fixed=_planned(file.fixed, names, shops, at_date),
        shops=tuple(
            Place(
                shop.name,
                tuple(task_name(shop.name, task) for task in file.tasks),
                (slot_of(shop.opens), slot_of(shop.closes)),
            )
            for shop in file.shops
        ),
        travel={
            (shops[one], shops[other]): way.minutes // 15
            for way in file.travel
            for one, other in (way.between, way.between[::-1])
        },
    )
    return _with_shapes(bare, file)


def task_name(shop: str | None, task: str) -> str:
    """`west/till` where there are several shops."""
    return task if shop is None else f"{shop}/{task}"


def _rules(file: RosterFile) -> Rules:
    """The rules; heads at a task are asked for in every shop."""
    least = file.rules.least_heads
    if least is None or not file.shops:
        return file.rules
    heads = {
        task_name(shop.name, task): count
        for shop in file.shops
        for task, count in least.heads.items()
    }
    return replace(file.rules, least_heads=LeastHeads(heads))


def _people(file: RosterFile, dates: Sequence[date]) -> Iterator[Person]:
    """Everybody, once for each shop they work in."""
    for employee in file.employees:
        for at, shop in enumerate(file.shops):
            if shop.name in employee.shops:
                yield _person(employee, dates, at, shop.name)
        if not file.shops:
            yield _person(employee, dates)


def _with_shapes(problem: Problem, file: RosterFile) -> Problem:
    shifts = file.shifts
    if problem.pause and 2 * problem.around + problem.pause > problem.pause_after:
        msg = (
            "shifts.pause: a break that far from the middle may lie outside the shift: "
            "around_middle has to be below half of after_hours less the break"
        )
        raise PrepareError(msg)
    earliest, latest = slot_of(shifts.earliest), slot_of(shifts.latest)
    shortest = math.ceil(shifts.shortest_hours * SLOTS_AN_HOUR)
    longest = math.floor(shifts.longest_hours * SLOTS_AN_HOUR)
    shapes = tuple(
        problem.shape(start, start + length)
        for start in range(earliest, latest, shifts.starts_every // 15)
        for length in range(max(1, shortest), longest + 1, shifts.lengths_every // 15)
        if start + length <= latest
    )
    if not shapes:
        msg = "shifts: no shift of the lengths allowed fits between earliest and latest"
        raise PrepareError(msg)
    values = {name: getattr(problem, name) for name in Problem.__slots__}
    return Problem(**{**values, "shapes": shapes})


def _demands(task: Task, need: TaskNeed, day: int, wage: float) -> dict[int, Demand]:
    first = day + slot_of(need.start)
    if need.heads:
        # A head missing costs the same whether it is the first or the last.
        missing = task.short_cost // SLOTS_AN_HOUR
        return {
            first + at: Demand(heads, tuple(missing * (heads - n) for n in range(heads + 1)))
            for at, heads in enumerate(need.heads)
        }
    return {
        first + at: demand._replace(worth_pay=_worth_pay(demand, wage))
        for at, demand in enumerate(waiting_costs(task, queues_of(task, need)))
    }


def _worth_pay(demand: Demand, wage: float) -> int:
    """Of the heads for the goal, those who save at least what a person is paid for the interval."""
    saved = [before - after for before, after in pairwise(demand.cost)]
    return sum(one >= wage for one in saved[: demand.heads])


def queues_of(task: Task, need: TaskNeed) -> list[Queue]:
    """The queue of each interval of a need with arrivals."""
    assert task.service_s is not None
    leaving = 1 / task.patience_s if task.patience_s else 0.0
    return [Queue(n / SLOT_S, 1 / task.service_s, leaving) for n in need.arrivals]


def service_goal(task: Task) -> Goal:
    """The goal of a task in the terms of the need."""
    goal = task.goal
    return Goal(goal.share, goal.within_s, goal.mean_wait_s, goal.occupancy)


def waiting_costs(task: Task, queues: Sequence[Queue]) -> Iterator[Demand]:
    """Interval by interval: the heads of the goal, and what each number of heads costs.

    Each interval begins with the queue that the goal's heads left before it. What waits at its end
    beyond what the goal's heads would leave is taken to wait for half an interval more.
    """
    needs = heads_carried(
        queues, service_goal(task), SLOT_S, below=HEADS_BELOW_GOAL, above=HEADS_ABOVE_GOAL
    )
    for queue, need in zip(queues, needs, strict=True):
        # Where many are missing, each is taken to cost as much as the last one looked at.
        first = max(0, need.heads - HEADS_BELOW_GOAL)
        looked = range(first, need.heads + HEADS_ABOVE_GOAL + 1)
        need.table.look(looked)
        left_over, _ = need.table.waiting(need.heads)
        costs = []
        for at_end, mean in map(need.table.waiting, looked):
            waited_s = mean * SLOT_S + max(0.0, at_end - left_over) * SLOT_S / 2
            gone = queue.leaving * mean * SLOT_S
            costs.append(round(waited_s / 3_600 * task.waiting_cost + gone * task.lost_cost))
        fewer = [costs[0] + (costs[0] - costs[1]) * (first - heads) for heads in range(first)]
        yield Demand(need.heads, _falling([*fewer, *costs]))


def _falling(costs: Sequence[int]) -> tuple[int, ...]:
    """Falling by less and less, each step the least of those so far; without the tail of nothing.

    The last is kept: from there on another head changes nothing that is counted.
    """
    kept = [costs[-1]]
    steps = [max(0, before - after) for before, after in pairwise(costs)]
    for at in range(len(steps) - 2, -1, -1):
        steps[at] = max(steps[at], steps[at + 1])
    while steps and steps[-1] == 0:
        steps.pop()
    for step in reversed(steps):
        kept.append(kept[-1] + step)
    return tuple(reversed(kept))


def _person(
    employee: Employee, dates: Sequence[date], at: int = 0, shop: str | None = None
) -> Person:
    free = []
    for one in dates:
        spans: list[tuple[int, int]] = [(0, SLOTS)]
        weekday = WEEKDAYS[one.weekday()]
        if employee.available is not None:
            spans = [_span(text) for text in employee.available.get(weekday, ())]
        free.append(() if one in employee.away else tuple(spans))
    wishes = []
    for wish in employee.wishes:
        if wish.date in dates:
            start, end = _span(wish.within) if wish.within else (0, SLOTS)
            wishes.append((dates.index(wish.date), Wanted(wish.off, start, end, wish.weight)))
    past = employee.last_weeks
    return Person(
        name=employee.name,
        skills={task_name(shop, task): grade for task, grade in employee.skills.items()},
        pay=employee.pay,
        least=math.ceil(employee.least_hours * SLOTS_AN_HOUR),
        most=math.floor(employee.most_hours * SLOTS_AN_HOUR),
        mentor=employee.mentor,
        trainee=employee.trainee,
        minor=employee.minor,
        free=tuple(free),
        wishes=tuple(wishes),
        past=Past(
            past.evenings,
            past.weekend_days,
            round(past.hours_over * SLOTS_AN_HOUR),
            past.days_in_a_row,
            slot_of(past.ended) if past.ended else None,
        ),
        shop=at,
    )


def _span(text: str) -> tuple[int, int]:
    start, _, end = text.partition("-")
    return slot_of(start), slot_of(end)


def _duties(file: RosterFile, weekdays: Sequence[int]) -> Iterator[Duty]:
    for day, weekday in enumerate(weekdays):
        for duty in file.duties:
            if WEEKDAYS[weekday] not in duty.on:
                continue
            first, last = slot_of(duty.start), slot_of(duty.end)
            length = duty.minutes // 15
            if first + length > last:
                msg = f"duty {duty.name} takes {duty.minutes} minutes: its window is too short"
                raise PrepareError(msg)
            base = day * SLOTS
            task = task_name(duty.shop, duty.task)
            yield Duty(duty.name, task, duty.heads, length, base + first, base + last)


def _planned(
    shifts: Sequence[PlannedShift],
    names: Mapping[tuple[str, int], int],
    shops: Mapping[str, int],
    at_date: Mapping[date, int],
) -> dict[tuple[int, int], tuple[int, int]]:
    return {
        (names[shift.employee, shops.get(shift.shop or "", 0)], at_date[shift.date]): (
            slot_of(shift.start),
            slot_of(shift.end),
        )
        for shift in shifts
        if shift.date in at_date
    }
