"""What holds a roster back: hard rules whose absence would let it cost less, people at a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from operators.roster.model.build import build_model
from operators.roster.problem import SLOTS_AN_HOUR, Problem
from operators.roster.relaxation import Relaxation
from operators.roster.roster import Roster
from schemas.roster_rules import HARD


class Saving(NamedTuple):
    """How far the bound falls without a rule: what it costs, as the linear relaxation sees it."""

    rule: str
    saved: float


def savings(problem: Problem, left: Callable[[], float]) -> Iterator[Saving]:
    """Every hard rule that is on, as far as there is time."""
    least = _bound(problem, left)
    if least is None:
        return
    for rule in HARD:
        if getattr(problem.rules, rule) is None:
            continue
        without = _bound(replace(problem, rules=problem.rules.without(rule)), left)
        if without is None:
            return
        yield Saving(rule, max(0.0, least - without))


def _bound(problem: Problem, left: Callable[[], float]) -> float | None:
    relaxation = Relaxation(build_model(problem))
    least = relaxation.solve(left())
    return None if least is None else relaxation.bound(least)


def at_limits(problem: Problem, roster: Roster) -> Iterator[str]:
    """People who may not work longer, or may not work less, in words."""
    rule = problem.rules.weekly_hours
    if rule is None:
        return
    shortest = min(shape.worked for shape in problem.shapes)
    for group in problem.groups:
        who = problem.people[group[0]]
        most = min(who.most, int(rule.most * SLOTS_AN_HOUR))
        for week in problem.weeks:
            worked = sum(
                problem.shape(shift.start, shift.end).worked
                for shift in roster.shifts
                if shift.person in group and shift.day in week
            )
            hours = f"{worked / SLOTS_AN_HOUR:g} h in the week of {problem.days[week[0]]}"
            if most - worked < SLOTS_AN_HOUR:
                yield f"{who.name} works {hours}: no hour more is allowed"
            elif len(week) == 7 and who.least and worked - who.least < min(shortest, SLOTS_AN_HOUR):
                yield f"{who.name} works {hours}: no hour less is allowed"
