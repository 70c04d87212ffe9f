"""Retail instances as our rosters with tasks, and our answers in the words of the instance."""

from __future__ import annotations

from collections.abc import Iterable

from bench.roster.retail_judge import Shifts, Worked
from bench.roster.retail_read import Retail
from operators.roster.activities.problem import ActivityProblem, Contract
from operators.roster.patterns.cover import Pattern

# Quarters from six in the morning: 06:00-10:00, 14:00-18:00, 20:00-23:45, and midnight.
STARTS = (*range(17), *range(32, 49), *range(56, 72), 72)


def activity_problem(instance: Retail) -> ActivityProblem:
    """The instance as our problem."""
    quarters, tasks = range(instance.quarters), range(instance.tasks)
    return ActivityProblem(
        instance.days,
        tuple(
            Contract(name, -(-least // 15), most // 15)
            for name, (least, most) in instance.minutes.items()
        ),
        tuple(tuple(instance.cover[q, task][0] for task in tasks) for q in quarters),
        tuple(tuple(instance.cover[q, task][1] for task in tasks) for q in quarters),
        starts=STARTS,
        lengths=range(24, 41),
        rest=56,
        stint=4,
        longest_run=5,
        midnight=72,
    )


def shifts_of(instance: Retail, patterns: Iterable[Pattern]) -> Shifts:
    """The shifts of each person."""
    names = list(instance.minutes)
    return {
        names[pattern.person]: [Worked(one.start, one.tasks) for one in pattern.detail]
        for pattern in patterns
    }
