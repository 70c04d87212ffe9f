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
    asked = {key: solver.value(heads) for key, heads in build.asked.items()}
    duties = [0] * len(problem.duties) if problem.rules.opening_duties is not None else []
    if kept is not None:
        duties = list(kept.duties)
    for (at, slot), variable in build.begins.items():
        if solver.value(variable):
            duties[at] = slot
    made = assemble(problem, worked, pauses, asked, tuple(duties))
    if kept is None:
        return made
    stay = [shift for shift in kept.shifts if shift.day not in changing]
    shifts = sorted((*stay, *made.shifts), key=lambda shift: (shift.day, shift.person))
    return Roster(tuple(shifts), made.duties)


def hint(build: Builder, roster: Roster) -> None:
    """Gives the solver a roster to begin with, of the days that may change."""
    model = build.model
    kind_of = {person: kind for kind, members in enumerate(build.classes) for person in members}
    pauses: Counter[tuple[int, int, int]] = Counter()
    spans = roster.spans()
    for shift in roster.shifts:
        if shift.pause is not None:
            pauses[kind_of[shift.person], shift.day, shift.pause] += 1
    for key, choices in build.choices.items():
        for shape, chosen in choices:
            if not isinstance(chosen, int):
                model.add_hint(chosen, spans.get(key) == (shape.start, shape.end))
    for begun, variable in build.pauses.items():
        model.add_hint(variable, pauses[begun])
    for (at, slot), begins in build.begins.items():
        model.add_hint(begins, roster.duties[at] == slot)
