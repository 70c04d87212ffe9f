"""The roster in a solution of the model."""

from __future__ import annotations

from collections import Counter

from ortools.sat.python import cp_model

from operators.roster.assign import assemble, give_breaks
from operators.roster.model.builder import Builder
from operators.roster.roster import Roster


def extract(build: Builder, solver: cp_model.CpSolver, kept: Roster | None = None) -> Roster:
    """The roster of a solution; days that could not change are those of `kept`."""
    problem = build.problem
    changing = set(build.days)
    worked = {
        key: shape
        for key, choices in build.choices.items()
        for shape, chosen in choices
        if key[1] in changing and solver.value(chosen)
    }
    begins: dict[tuple[int, int], Counter[int]] = {}
    for (kind, day, slot), variable in build.pauses.items():
        if count := solver.value(variable):
            begins.setdefault((kind, day), Counter())[slot] = count
    pauses: dict[tuple[int, int], int] = {}
    for (kind, day), of_class in begins.items():
        pauses.update(give_breaks(build.classes[kind], day, worked, of_class))
    doing = {key: solver.value(heads) for key, heads in build.doing.items()}
    duties = [0] * len(problem.duties) if problem.rules.opening_duties is not None else []
    if kept is not None:
        duties = list(kept.duties)
    for (at, slot), variable in build.begins.items():
        if solver.value(variable):
            duties[at] = slot
    made = assemble(problem, build.classes, worked, pauses, doing, tuple(duties))
    if kept is None:
        return made
    stay = [shift for shift in kept.shifts if shift.day not in changing]
    shifts = sorted((*stay, *made.shifts), key=lambda shift: (shift.day, shift.person))
    return Roster(tuple(shifts), made.duties)
