"""The whole model of a problem."""

from __future__ import annotations

from operators.roster.model import hard, soft
from operators.roster.model import loose as loosely
from operators.roster.model.builder import Builder, Part
from operators.roster.model.cover import add_cover, add_duties
from operators.roster.model.places import add_places
from operators.roster.model.shifts import add_presence, add_shifts
from operators.roster.problem import Problem


def build_model(
    problem: Problem, *, explain: bool = False, part: Part | None = None, loose: bool = False
) -> Builder:
    """The model of the rules that are on.

    With a part, only what that part may change is in it; everything else stays as it is.
    A `loose` model allows more, for a bound: breaks need not lie in their windows, and who is in a
    break counts as there for skilled people and mentors.
    With `explain` there is no cost, and every hard rule holds only where its literal is true.
    """
    build = Builder(problem, explain=explain, part=part, loose=loose)
    add_shifts(build)
    add_presence(build)
    add_duties(build)
    add_cover(build)
    add_places(build)
    rules = hard.ADD | loosely.ADD if loose else hard.ADD
    for rule, add in rules.items():
        if getattr(problem.rules, rule) is not None:
            add(build)
    if not explain:
        for rule, add in soft.ADD.items():
            if getattr(problem.rules, rule) is not None:
                add(build)
        build.model.minimize(sum(build.cost))
    return build
