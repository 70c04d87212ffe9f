"""Shapes of shifts that a rule forbids somebody on a day, whatever the rest of the roster is."""

from __future__ import annotations

from collections.abc import Iterator

from operators.roster.problem import SLOTS, SLOTS_AN_HOUR, Problem, Shape, clock, slot_of
from operators.roster.reasons import Reason, on_day


def forbidden(problem: Problem, person: int, day: int, shape: Shape) -> Iterator[Reason]:
    """The rules that this shift alone would break."""
    rules = problem.rules
    who = problem.people[person]
    if rules.availability is not None and not any(
        start <= shape.start and shape.end <= end for start, end in who.free[day]
    ):
        spans = ", ".join(f"{clock(start)}-{clock(end)}" for start, end in who.free[day])
        yield Reason(
            "availability",
            f"{who.name} can work {spans or 'not at all'} {on_day(problem, day)}",
            person,
            day,
        )
    if rules.daily_hours is not None:
        most = rules.daily_hours.most
        if shape.worked > most * SLOTS_AN_HOUR:
            yield Reason("daily_hours", f"nobody works longer than {most:g} h a day")
    if rules.minors is not None and who.minor:
        rule = rules.minors
        if (
            shape.start < slot_of(rule.earliest)
            or shape.end > slot_of(rule.latest)
            or shape.worked > rule.most_hours * SLOTS_AN_HOUR
        ):
            yield Reason(
                "minors",
                f"{who.name} is a minor: {rule.earliest}-{rule.latest}, "
                f"{rule.most_hours:g} h a day at most",
                person,
            )
    if rules.rest is not None and day == 0 and who.past.ended is not None:
        rest = rules.rest.hours
        if SLOTS + shape.start - who.past.ended < rest * SLOTS_AN_HOUR:
            yield Reason(
                "rest",
                f"{who.name} rests {rest:g} h between two shifts, and the last one before the "
                f"roster ended at {clock(who.past.ended)}",
                person,
            )
    there = problem.fixed.get((person, day))
    if rules.fixed_assignments is not None and there not in {None, (shape.start, shape.end)}:
        yield fixed_reason(problem, person, day)


def fixed_reason(problem: Problem, person: int, day: int) -> Reason:
    """A fixed assignment in words."""
    start, end = problem.fixed[person, day]
    return Reason(
        "fixed_assignments",
        f"{problem.people[person].name} is fixed from {clock(start)} to {clock(end)} "
        f"{on_day(problem, day)}",
        person,
        day,
    )
