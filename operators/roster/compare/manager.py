"""Fixed shifts as a manager makes them by hand: early and late, the same by weekday.

The rule. The manager knows the usual week, not this week's forecast. Each weekday and half of the
day gets the heads that keep the service goal at the half day's mean number of customers (by the
same queueing formula that the search uses, which is kind to the manager), and by habit never fewer
than two. Early and late are either six hours each without overlap, or eight that overlap after
noon; of the two habits the one is kept that costs less by this week's forecast (kind again).
People are taken in turns: who has worked least of the contract goes first, who wishes the day off
goes last. Those below their contract get more shifts. Availability, hours, rest and days off are
kept. Who does what in each quarter, and the breaks, follow this week's forecast, as in the greedy
rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from operators.roster.compare.draft import Draft
from operators.roster.evaluate import evaluate
from operators.roster.need.erlang import Queue
from operators.roster.need.heads import Goal, heads_in_balance
from operators.roster.problem import SLOT_S, SLOTS_AN_HOUR, Problem
from operators.roster.roster import Roster

# Nobody is alone in the shop: one has to be able to go to the store room.
HABIT = 2
# Hours of an early or late shift, by the manager's habit.
HABITS = (6, 8)
# Who cannot work so long works so many hours.
SHORT = 6


def by_hand(
    problem: Problem,
    usual: Mapping[tuple[str, int], Sequence[float]],
    services: Mapping[str, tuple[float, float, Goal]],
) -> Roster:
    """The manager's roster.

    Args:
        problem: this week's.
        usual: customers by task and day, quarter by quarter of the opening hours.
        services: by task: seconds of service, of patience, and the goal.
    """
    heads = {
        (day, late): max(HABIT, _heads(usual, services, day, late))
        for day in range(len(problem.days))
        for late in (False, True)
    }
    made = [_fixed(problem, heads, hours) for hours in HABITS]
    return min(made, key=lambda one: _judged(problem, one))


def _judged(problem: Problem, roster: Roster) -> tuple[int, int]:
    judged = evaluate(problem, roster)
    return len(judged.violations), judged.total


def _heads(
    usual: Mapping[tuple[str, int], Sequence[float]],
    services: Mapping[str, tuple[float, float, Goal]],
    day: int,
    late: bool,
) -> int:
    """Heads for half a day, at its mean number of customers."""
    found = 0
    for task, (service_s, patience_s, goal) in services.items():
        counts = usual[task, day]
        middle = len(counts) // 2
        half = counts[middle:] if late else counts[:middle]
        rate = sum(half) / len(half) / SLOT_S
        found += heads_in_balance(Queue(rate, 1 / service_s, 1 / patience_s), goal)
    return found


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
