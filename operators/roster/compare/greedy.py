"""A greedy rule: the forecast's need is covered from morning to evening, one shift at a time.

Where heads are lacking first, a shift begins (as near before as shifts can). Its length is the one
that is needed for most of its time, the longer of equals. It goes to the person with the shortest
slack: the fewest hours that the days left could still give beyond what the contract still asks
for. Days with the greatest need are planned first, but before any of them gets its need every day
gets two heads at least: one of them may have a break. Those below their contract get more shifts.
"""

from __future__ import annotations

from operators.roster.compare.draft import Draft
from operators.roster.problem import SLOTS, SLOTS_AN_HOUR, Problem, Shape
from operators.roster.roster import Roster

LEAST = 2
# A day of somebody's could still give so many hours.
DAY_HOURS = 8


def by_need(problem: Problem) -> Roster:
    """The greedy roster."""
    draft = Draft(problem)
    days = range(len(problem.days))

    def need(day: int) -> int:
        return sum(problem.heads_needed(day * SLOTS + slot) for slot in range(SLOTS))

    for most in (LEAST, None):
        for day in sorted(days, key=lambda one: (-need(one), one)):
            _cover(draft, day, most)
        draft.leave_nobody_alone()
    draft.meet_contracts()
    return draft.roster()


def _cover(draft: Draft, day: int, most: int | None) -> None:
    """Adds shifts until the day's need is covered, or so much of it."""
    problem = draft.problem
    for slot in range(*problem.open_slots):
        while _lacking(draft, day, slot, most):
            fitting = [shape for shape in problem.shapes if shape.start <= slot < shape.end]
            if not fitting:
                break
            begin = max(shape.start for shape in fitting)
            if slot + 4 * SLOTS_AN_HOUR > problem.open_slots[1]:
                # Too late for a whole shift to begin: the one that ends at closing.
                fitting = [shape for shape in fitting if shape.end == problem.open_slots[1]]
            else:
                fitting = [shape for shape in fitting if shape.start == begin]
            if not _assign(draft, day, fitting):
                break


def _lacking(draft: Draft, day: int, slot: int, most: int | None) -> bool:
    needed = most or max(LEAST, draft.problem.heads_needed(day * SLOTS + slot))
    return draft.present(day, slot) < needed


def _assign(draft: Draft, day: int, shapes: list[Shape]) -> bool:
    """The shift that is needed most, to the person with the shortest slack who can work it."""
    ranked = sorted(
        shapes,
        key=lambda one: (-draft.short(day, one) / (one.end - one.start), one.start - one.end),
    )
    for shape in ranked:
        able = [
            person
            for person in range(len(draft.problem.people))
            if (person, day) not in draft.shifts and draft.can(person, day, shape)
        ]
        if able:
            draft.add(min(able, key=lambda one: _slack(draft, one)), day, shape)
            return True
    return False


def _slack(draft: Draft, person: int) -> tuple[float, int]:
    who = draft.problem.people[person]
    left = sum(
        bool(who.free[day]) and (person, day) not in draft.shifts
        for day in range(len(draft.problem.days))
    )
    return left * DAY_HOURS * SLOTS_AN_HOUR - (who.least - draft.hours[person]), person
