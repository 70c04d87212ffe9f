"""Why something may not be: a rule, and the part of it that counts here, in words."""

from __future__ import annotations

from typing import NamedTuple

from operators.roster.problem import Problem

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Reason(NamedTuple):
    """A rule's name, what it says here, and whom and which day it is about (None: everybody)."""

    rule: str
    text: str
    person: int | None = None
    day: int | None = None


def on_day(problem: Problem, day: int) -> str:
    """`on Monday 2026-11-30`."""
    return f"on {_DAYS[problem.weekdays[day]]} {problem.days[day]}"
