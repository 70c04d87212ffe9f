"""Fixed shifts as a manager makes them by hand: early and late, so many heads each.

The rule. The manager knows the usual week, not this week's forecast; how many heads each half of a
day gets is in `habits.py`. Early and late are either six hours each without overlap, or eight that
overlap after noon; of the two habits the one is kept that costs less by this week's forecast (which
is kind to the manager). People are taken in turns: who has worked least of the contract goes first,
who wishes the day off goes last. Those below their contract get more shifts. Availability, hours,
rest and days off are kept. A manager who plans rushes has short shifts for them, too. Who does what
in each quarter, and the breaks, follow this week's forecast, as in the greedy rule.
"""

from __future__ import annotations

from collections.abc import Mapping

from operators.roster.compare.draft import Draft
from operators.roster.evaluate import evaluate
from operators.roster.problem import SLOTS_AN_HOUR, Problem, Shape
from operators.roster.roster import Roster

# Hours of an early or late shift, by the manager's habit.
HABITS = (6, 8)
# Who cannot work so long works so many hours.
SHORT = 6


def by_hand(
    problem: Problem,
    heads: Mapping[tuple[int, bool], int],
    rushes: Mapping[tuple[int, int, int], int] | None = None,
) -> Roster:
    """The manager's roster of this week.

    Args:
        problem: this week's.
        heads: by day and half of it (late: True).
        rushes: heads besides, by day and hours since opening from and to.
    """
    made = [_fixed(problem, heads, rushes or {}, hours) for hours in HABITS]
    return min(made, key=lambda one: _judged(problem, one))


def _judged(problem: Problem, roster: Roster) -> tuple[int, int]:
    judged = evaluate(problem, roster)
    return len(judged.violations), judged.total


def _fixed(
    problem: Problem,
    heads: Mapping[tuple[int, bool], int],
    rushes: Mapping[tuple[int, int, int], int],
    hours: int,
) -> Roster:
    draft = Draft(problem)
    opens, _ = problem.open_slots
    # By turns, so that no day and no half of it takes all who are there.
    for at in range(max(heads.values())):
        for (day, late), wanted in heads.items():
            if at < wanted:
                _take(draft, day, [_early_or_late(problem, one, late) for one in {hours, SHORT}])
    for at in range(max(rushes.values(), default=0)):
        for (day, begin, end), wanted in rushes.items():
            if at < wanted:
                span = (opens + begin * SLOTS_AN_HOUR, opens + end * SLOTS_AN_HOUR)
                _take(draft, day, [problem.shape(*span)])
    draft.leave_nobody_alone()
    draft.meet_contracts()
    return draft.roster()


def _early_or_late(problem: Problem, hours: int, late: bool) -> Shape:
    opens, closes = problem.open_slots
    start = closes - hours * SLOTS_AN_HOUR if late else opens
    return problem.shape(start, start + hours * SLOTS_AN_HOUR)


def _take(draft: Draft, day: int, shapes: list[Shape]) -> None:
    """The next person for the longest of these shifts that somebody can work, if there is one."""
    problem = draft.problem
    people = sorted(
        (person for person in range(len(problem.people)) if (person, day) not in draft.shifts),
        key=lambda one: (
            draft.wishes_off(one, day),
            draft.hours[one] / max(1, problem.people[one].most),
            one,
        ),
    )
    for shape in sorted(shapes, key=lambda one: one.start - one.end):
        for person in people:
            if draft.can(person, day, shape):
                draft.add(person, day, shape)
                return
