"""The best whole patterns of those that are known, by CP-SAT."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby

from ortools.sat.python import cp_model

from operators.roster.patterns.cover import Cover, Pattern
from operators.roster.solver import SOLVED


def choose(
    cover: Cover,
    patterns: Iterable[Pattern],
    hint: Sequence[Pattern],
    seconds: float,
    seed: int = 1,
    workers: int = 1,
) -> tuple[list[Pattern] | None, bool]:
    """One pattern for everybody in `hint`, together the cheapest; whether that is proved."""
    model = cp_model.CpModel()
    hinted = {pattern.key for pattern in hint}
    chosen: dict[int, list[tuple[Pattern, cp_model.IntVar]]] = defaultdict(list)
    heads: dict[int, list[cp_model.IntVar]] = defaultdict(list)
    cost: list[cp_model.LinearExprT] = [int(cover.table[:, 0].sum())]
    for pattern in patterns:
        one = model.new_bool_var("")
        model.add_hint(one, pattern.key in hinted)
        chosen[pattern.person].append((pattern, one))
        cost.append(pattern.cost * one)
        for row in pattern.rows.tolist():
            heads[row].append(one)
    for ones in chosen.values():
        model.add_exactly_one([one for _, one in ones])
    for row, ones_there in heads.items():
        filled = []
        for step, group in groupby(cover.steps[row].tolist()):
            part = model.new_int_var(0, len(list(group)), "")
            filled.append(part)
            cost.append(step * part)
        model.add(sum(filled) == sum(ones_there))
    model.minimize(sum(cost))
    solver = cp_model.CpSolver()
    solver.parameters.max_deterministic_time = max(0.01, seconds)
    solver.parameters.max_time_in_seconds = 10 * max(0.01, seconds)
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed
    solver.parameters.linearization_level = 2
    solver.parameters.symmetry_level = 0
    status = solver.solve(model)
    if status not in SOLVED:
        return None, False
    best = [
        pattern for ones in chosen.values() for pattern, one in ones if solver.boolean_value(one)
    ]
    return best, status == cp_model.OPTIMAL
