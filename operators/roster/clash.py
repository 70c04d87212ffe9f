"""Why there is no legal roster: rules that do not go together, none of which can be left out.

Every hard rule of the model hangs on a literal with its reason in words. CP-SAT names assumptions
that are enough to make it infeasible; those without which it stays infeasible are taken out one by
one (a deletion filter). Then the next clash is looked for without the rules of the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ortools.sat.python import cp_model

from operators.roster.extract import extract
from operators.roster.model.build import build_model
from operators.roster.problem import Problem
from operators.roster.reasons import Reason
from operators.roster.roster import Roster
from operators.roster.solver import SOLVED, solver_of


class Clash(NamedTuple):
    """Reasons that do not go together; `minimal`: without any one of them they would."""

    reasons: tuple[Reason, ...]
    minimal: bool

    def sentence(self) -> str:
        """The clash in words."""
        texts = [f"{reason.text} ({reason.rule})" for reason in self.reasons]
        if len(texts) == 1:
            return f"this cannot be kept by anybody: {texts[0]}"
        return "these do not go together: " + "; ".join(texts)


class Clashes(NamedTuple):
    """All clashes found; `complete`: without their reasons there is a legal roster.

    `roster`: where there is no clash, a legal roster.
    """

    found: tuple[Clash, ...]
    complete: bool
    roster: Roster | None = None


def clashes(problem: Problem, left: Callable[[], float], seed: int = 1) -> Clashes:
    """The clashes of a problem, as far as there is time to look; `left` says how many seconds."""
    build = build_model(problem, explain=True)
    literals = {literal.index: reason for reason, literal in build.reasons.items()}
    kept = set(literals.values())
    found: list[Clash] = []

    def check(reasons: Iterable[Reason]) -> tuple[cp_model.CpSolver, object, set[Reason]]:
        build.model.clear_assumptions()
        build.model.add_assumptions([build.reasons[reason] for reason in reasons])
        # One thread: only then are the assumptions that clash told.
        solver = solver_of(left(), seed, priced=False)
        status = solver.solve(build.model)
        core = solver.sufficient_assumptions_for_infeasibility()
        return solver, status, {literals[index] for index in core}

    while True:
        solver, status, core = check(_ordered(kept))
        if status in SOLVED:
            # Where rules are left out, what is found need not be a roster that can be read.
            roster = None if found else extract(build, solver)
            return Clashes(tuple(found), complete=True, roster=roster)
        if status != cp_model.INFEASIBLE or not core:
            return Clashes(tuple(found), complete=False)
        minimal = True
        for reason in _ordered(core):
            if left() <= 0:
                minimal = False
                break
            if reason not in core:
                continue
            _, status, smaller = check(_ordered(core - {reason}))
            if status == cp_model.INFEASIBLE:
                core = smaller or core - {reason}
            elif status not in SOLVED:
                minimal = False
        found.append(Clash(tuple(_ordered(core)), minimal))
        kept -= core


def _ordered(reasons: Iterable[Reason]) -> list[Reason]:
    """Always the same order, so that the same problem has the same answer."""
    return sorted(reasons, key=lambda one: (one.rule, one.day or 0, one.person or 0, one.text))
