"""CP-SAT set up for rosters."""

from __future__ import annotations

from ortools.sat.python import cp_model

SOLVED = frozenset({cp_model.OPTIMAL, cp_model.FEASIBLE})


def solver_of(seconds: float, seed: int, *, priced: bool = True) -> cp_model.CpSolver:
    """A solver with a budget, for one thread.

    The linear relaxation of the model is nearly tight (for a day by less than a thousandth), so one
    thread that solves all of it (level 2) proves in a second what eight threads with other
    strategies do not prove in a minute; probing and symmetries cost more than they save. Without a
    price (`priced`) any solution will do, and the linear program is in the way.
    """
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(0.01, seconds)
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    if priced:
        solver.parameters.linearization_level = 2
        solver.parameters.cp_model_probing_level = 0
        solver.parameters.symmetry_level = 0
        solver.parameters.max_presolve_iterations = 1
    else:
        solver.parameters.linearization_level = 0
    return solver
