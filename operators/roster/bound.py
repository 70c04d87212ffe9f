"""A bound from below by the linear relaxation: no roster costs less."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ortools.linear_solver import pywraplp

# Larger than any figure of a model: what CP-SAT writes for "no limit".
_LIMITLESS = 1 << 60
# What a linear solver's rounding may have added to the optimum, as a share of it.
_ROUNDING = 1e-6


def start_bound(model: Any, seconds: float) -> Future[float]:
    """Begins to look for the bound in a thread of its own, beside the search for rosters."""
    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(linear_bound, model, seconds)
    pool.shutdown(wait=False)
    return future


def linear_bound(model: Any, seconds: float) -> float:
    """The optimum of a CP-SAT model's linear relaxation; minus infinity where time runs out."""
    solver = pywraplp.Solver.CreateSolver("GLOP")
    solver.SetTimeLimit(max(1, int(seconds * 1_000)))
    proto = model.proto
    variables = []
    for variable in proto.variables:
        domain = list(variable.domain)
        variables.append(solver.NumVar(domain[0], domain[-1], ""))
    for constraint in proto.constraints:
        _add(solver, variables, constraint)
    cost = solver.Objective()
    weights: dict[int, float] = {}
    for index, weight in zip(proto.objective.vars, proto.objective.coeffs, strict=True):
        at, sign = (index, 1) if index >= 0 else (-index - 1, -1)
        weights[at] = weights.get(at, 0.0) + sign * weight
    for at, weight in weights.items():
        cost.SetCoefficient(variables[at], weight)
    cost.SetOffset(proto.objective.offset)
    cost.SetMinimization()
    if solver.Solve() != pywraplp.Solver.OPTIMAL:
        return -math.inf
    value = float(cost.Value())
    # Costs are whole: the bound may be rounded up, once the rounding errors are off.
    return float(math.ceil(value - _ROUNDING * max(1.0, abs(value))))


def _add(solver: Any, variables: list[Any], constraint: Any) -> None:
    """One constraint; one that is not linear is left out, which keeps the bound a bound."""
    if constraint.has_linear() and not list(constraint.enforcement_literal):
        domain = list(constraint.linear.domain)
        low = -solver.infinity() if domain[0] <= -_LIMITLESS else domain[0]
        high = solver.infinity() if domain[-1] >= _LIMITLESS else domain[-1]
        row = solver.Constraint(low, high)
        weights: dict[int, int] = {}
        for index, weight in zip(constraint.linear.vars, constraint.linear.coeffs, strict=True):
            weights[index] = weights.get(index, 0) + weight
        for index, weight in weights.items():
            row.SetCoefficient(variables[index], weight)
    elif constraint.has_exactly_one():
        literals = list(constraint.exactly_one.literals)
        negated = sum(literal < 0 for literal in literals)
        row = solver.Constraint(1 - negated, 1 - negated)
        for literal in literals:
            sign = 1 if literal >= 0 else -1
            row.SetCoefficient(variables[literal if literal >= 0 else -literal - 1], sign)
