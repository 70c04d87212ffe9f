"""What could be changed about a running day: one person's shift, and what that costs.

Only shapes of shifts that the shop has; whether the rules allow it is asked of the evaluator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from operators.roster.intraday.watch import Stretch
from operators.roster.prices import overtime_price, shift_pay
from operators.roster.problem import SLOTS, SLOTS_AN_HOUR, Problem, Shape
from operators.roster.roster import Roster, Shift
from schemas.roster_rules import Pay
from schemas.staffing import Move

Serving = Mapping[tuple[str, int], int]


class Notice(NamedTuple):
    """How many slots before somebody has to hear of a change."""

    stay: int
    go: int
    call: int


@dataclass(frozen=True, slots=True)
class Change:
    """A person's shift of the day made another: `old` is None when they are called in."""

    move: Move
    person: int
    old: Shift | None
    new: Shift
    pay: int
    waiting: int
    covers: int

    @property
    def net(self) -> int:
        """Pay and waiting together; below 0 it pays."""
        return self.pay + self.waiting

    def applied(self, roster: Roster) -> Roster:
        """The roster with it."""
        kept = [one for one in roster.shifts if one[:2] != self.new[:2]]
        shifts = sorted([*kept, self.new], key=lambda one: (one.day, one.person))
        return Roster(tuple(shifts), roster.duties)


def moves(
    problem: Problem,
    roster: Roster,
    serving: Serving,
    stretch: Stretch,
    at: tuple[int, int],
    notice: Notice,
) -> Iterator[Change]:
    """Everything that one person could do about a stretch; `at` is the day and the slot now."""
    day, now = at
    there = {shift.person: shift for shift in roster.shifts if shift.day == day}
    worked = _worked_in_week(problem, roster, day)
    for person, who in enumerate(problem.people):
        old = there.get(person)
        able = problem.rules.qualification is None or stretch.task in who.skills
        if stretch.kind == "over_staffed":
            found = _earlier(problem, old, stretch, now + notice.go) if old else iter(())
            move: Move = "go"
        elif old is None:
            found = (
                _called(problem, (person, day), stretch, now + notice.call) if able else iter(())
            )
            move = "call"
        else:
            found = _later(problem, old, stretch, (now, notice.stay)) if able else iter(())
            move = "stay"
        for new in found:
            pay = _pay_change(problem, old, new, worked.get(person, 0))
            waiting, covers = _effect(problem, serving, old, new, stretch)
            yield Change(move, person, old, new, pay, waiting, covers)


def _later(
    problem: Problem, old: Shift, stretch: Stretch, when: tuple[int, int]
) -> Iterator[Shift]:
    now, notice = when
    if old.end < now + notice or old.end >= stretch.end:
        return
    for shape in problem.shapes:
        if shape.start == old.start and shape.end > max(old.end, stretch.start):
            yield from _reshaped(problem, old, shape, stretch.task, now)


def _earlier(problem: Problem, old: Shift, stretch: Stretch, first: int) -> Iterator[Shift]:
    for shape in problem.shapes:
        if shape.start == old.start < first <= shape.end < old.end and shape.end < stretch.end:
            yield from _reshaped(problem, old, shape, stretch.task, first)


def _called(
    problem: Problem, key: tuple[int, int], stretch: Stretch, first: int
) -> Iterator[Shift]:
    for shape in problem.shapes:
        if first <= shape.start < stretch.end and shape.end > stretch.start:
            length = shape.end - shape.start
            fresh = Shift(*key, shape.start, shape.end, None, (stretch.task,) * length)
            yield from _reshaped(problem, fresh, shape, stretch.task, 0)


def _reshaped(problem: Problem, old: Shift, shape: Shape, task: str, now: int) -> Iterator[Shift]:
    """The shift in another shape: once for each slot the break could begin at."""
    pause = old.pause
    begun = pause is not None and pause < now
    pauses: list[int | None]
    if not shape.pause:
        pauses = [] if begun else [None]
    elif pause is not None and shape.first <= pause <= shape.last:
        pauses = [pause]
    else:
        pauses = [] if begun else [*range(max(shape.first, now), shape.last + 1)]
    for chosen in pauses:
        tasks: list[str | None] = []
        for slot in range(shape.start, shape.end):
            resting = chosen is not None and chosen <= slot < chosen + shape.pause
            rested = pause is not None and pause <= slot < pause + problem.pause
            if resting:
                tasks.append(None)
            elif slot < old.end and not rested:
                tasks.append(old.tasks[slot - old.start])
            else:
                tasks.append(task)
        yield Shift(old.person, old.day, shape.start, shape.end, chosen, tuple(tasks))


def _slots(problem: Problem, shift: Shift | None) -> int:
    if shift is None:
        return 0
    return shift.end - shift.start - (problem.pause if shift.pause is not None else 0)


def _worked_in_week(problem: Problem, roster: Roster, day: int) -> dict[int, int]:
    """Slots of everybody in the week of the day."""
    [week] = [one for one in problem.weeks if day in one]
    found: dict[int, int] = {}
    for shift in roster.shifts:
        if shift.day in week:
            found[shift.person] = found.get(shift.person, 0) + _slots(problem, shift)
    return found


def _pay_change(problem: Problem, old: Shift | None, new: Shift, worked: int) -> int:
    """What the pay changes by, overtime with it; where no rule says so, by the usual one."""
    rule = problem.rules.pay or Pay()
    who = problem.people[new.person]
    before, after = _slots(problem, old), _slots(problem, new)
    limit = int(rule.overtime_after * SLOTS_AN_HOUR)
    overtime = max(0, worked - before + after - limit) - max(0, worked - limit)
    return shift_pay(who, after) - shift_pay(who, before) + overtime_price(who, rule) * overtime


def _effect(
    problem: Problem, serving: Serving, old: Shift | None, new: Shift, stretch: Stretch
) -> tuple[int, int]:
    """What waiting changes by, and the head-intervals by which the stretch gets better."""
    moved: dict[tuple[str, int], int] = {}
    for shift, by in ((old, -1), (new, 1)):
        if shift is None:
            continue
        for slot, task in enumerate(shift.tasks, shift.day * SLOTS + shift.start):
            if task is not None:
                moved[task, slot] = moved.get((task, slot), 0) + by
    waiting = covers = 0
    base = new.day * SLOTS
    for (task, slot), by in moved.items():
        demand = problem.demands.get(task, {}).get(slot)
        if demand is None or not by:
            continue
        before = serving.get((task, slot), 0)
        after = before + by
        waiting += demand.with_heads(max(0, after)) - demand.with_heads(max(0, before))
        if task == stretch.task and stretch.start <= slot - base < stretch.end:
            if stretch.kind == "short_staffed":
                covers += max(0, demand.heads - before) - max(0, demand.heads - after)
            else:
                covers += max(0, before - demand.heads) - max(0, after - demand.heads)
    return waiting, covers
