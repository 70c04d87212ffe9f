"""Fixed shifts as a manager makes them by hand: early and late, so many heads each.

The rule. The manager knows the usual week, not this week's forecast; how many heads each half of a
day gets is in `habits.py`. Early and late are either six hours each without overlap, or eight that
overlap after noon; of the two habits the one is kept that costs less by this week's forecast (which
is kind to the manager). People are taken in turns: who has worked least of the contract goes first,
who wishes the day off goes last. Those below their contract get more shifts. Availability, hours,
rest and days off are kept. Who does what in each quarter, and the breaks, follow this week's
forecast, as in the greedy rule.
"""

from __future__ import annotations

from collections.abc import Mapping

from operators.roster.compare.draft import Draft
from operators.roster.evaluate import evaluate
from operators.roster.problem import SLOTS_AN_HOUR, Problem
from operators.roster.roster import Roster

# Hours of an early or late shift, by the manager's habit.
HABITS = (6, 8)
# Who cannot work so long works so many hours.
SHORT = 6


def by_hand(problem: Problem, heads: Mapping[tuple[int, bool], int]) -> Roster:
    """The manager's roster of this week, with so many heads by day and half of it (late: True)."""
    made = [_fixed(problem, heads, hours) for hours in HABITS]
    return min(made, key=lambda one: _judged(problem, one))


def _judged(problem: Problem, roster: Roster) -> tuple[int, int]:
    judged = evaluate(problem, roster)
    return len(judged.violations), judged.total


def _fixed(problem: Problem, heads: Mapping[tuple[int, bool], int], hours: int) -> Roster:
    draft = Draft(problem)
    opens, closes = problem.open_slots
    # By turns, so that no day and no half of it takes all who are there.
    for at in range(max(heads.values())):
        for (day, late), wanted in heads.items():
            if at < wanted:
                _take(draft, day, opens, closes, hours, late)
    draft.leave_nobody_alone()
    draft.meet_contracts()
    return draft.roster()


def _take(draft: Draft, day: int, opens: int, closes: int, hours: int, late: bool) -> None:
    """The next person for an early or late shift, if there is one."""
    problem = draft.problem
    people = sorted(
        (person for person in range(len(problem.people)) if (person, day) not in draft.shifts),
        key=lambda one: (
            draft.wishes_off(one, day),
            draft.hours[one] / max(1, problem.people[one].most),
            one,
        ),
    )
    for length in sorted({hours, SHORT}, reverse=True):
        slots = length * SLOTS_AN_HOUR
        start = closes - slots if late else opens
        shape = problem.shape(start, start + slots)
        for person in people:
            if draft.can(person, day, shape):
                draft.add(person, day, shape)
                return
