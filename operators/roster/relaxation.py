"""The linear relaxation of a roster's model: a bound from below, and a guide to good rosters."""

from __future__ import annotations

import math
from typing import Any

from ortools.linear_solver import pywraplp

from operators.roster.model.builder import Builder

# Larger than any figure of a model: what CP-SAT writes for "no limit".
_LIMITLESS = 1 << 60
# What a linear solver's rounding may have added to the optimum, as a share of it.
_ROUNDING = 1e-6
_FAST = "use_preprocessing:false use_dual_simplex:{dual}"


class Relaxation:
    """A linear program over a model's variables, by their index."""

    def __init__(self, build: Builder) -> None:
        proto: Any = build.model.proto
        self._solver = pywraplp.Solver.CreateSolver("GLOP")
        self._solver.SuppressOutput()
        self._rows: list[Any] = []
        domains = [list(one.domain) for one in proto.variables]
        self._bounds = [(domain[0], domain[-1]) for domain in domains]
        self._costs = [0] * len(self._bounds)
        for index, weight in zip(proto.objective.vars, proto.objective.coeffs, strict=True):
            at, sign = (index, 1) if index >= 0 else (-index - 1, -1)
            self._costs[at] += sign * weight
        self._entries: list[list[tuple[int, int]]] = [[] for _ in self._bounds]
        for constraint in proto.constraints:
            self._add_row(constraint)
        self.variables: list[Any] = []
        self._objective = self._solver.Objective()
        self._objective.SetOffset(proto.objective.offset)
        self._objective.SetMinimization()
        for index in range(len(self._bounds)):
            self._add_column(index)
        self._settings = pywraplp.MPSolverParameters()
        self._settings.SetIntegerParam(
            self._settings.INCREMENTALITY, self._settings.INCREMENTALITY_ON
        )

    def _add_row(self, constraint: Any) -> None:
        """One constraint; one that is not linear is left out, which keeps the bound a bound."""
        weights: dict[int, int] = {}
        if constraint.has_linear() and not list(constraint.enforcement_literal):
            domain = list(constraint.linear.domain)
            low = -math.inf if domain[0] <= -_LIMITLESS else domain[0]
            high = math.inf if domain[-1] >= _LIMITLESS else domain[-1]
            linear = constraint.linear
            for index, weight in zip(linear.vars, linear.coeffs, strict=True):
                weights[index] = weights.get(index, 0) + weight
        elif constraint.has_exactly_one():
            literals = list(constraint.exactly_one.literals)
            low = high = 1 - sum(literal < 0 for literal in literals)
            for literal in literals:
                weights[literal if literal >= 0 else -literal - 1] = 1 if literal >= 0 else -1
        else:
            return
        for index, weight in weights.items():
            self._entries[index].append((len(self._rows), weight))
        self._rows.append(self._solver.Constraint(low, high))

    def _add_column(self, index: int) -> None:
        low, high = self._bounds[index]
        variable = self._solver.NumVar(low, high, "")
        self.variables.append(variable)
        self._objective.SetCoefficient(variable, float(self._costs[index]))
        for row, weight in self._entries[index]:
            self._rows[row].SetCoefficient(variable, weight)

    def solve(self, seconds: float, *, dual: bool = False) -> float | None:
        """The least cost with the columns there are; None where there is none, or no time."""
        if seconds <= 0:
            return None
        self._solver.SetTimeLimit(max(1, int(seconds * 1_000)))
        self._solver.SetSolverSpecificParametersAsString(_FAST.format(dual=str(dual).lower()))
        if self._solver.Solve(self._settings) != pywraplp.Solver.OPTIMAL:
            return None
        return float(self._objective.Value())

    def bound(self, least: float) -> float:
        """What no roster costs less than, where `least` is the relaxation's optimum.

        Costs are whole: it may be rounded up, once the rounding errors are off.
        """
        return float(math.ceil(least - _ROUNDING * max(1.0, abs(least))))

    def value(self, index: int) -> float:
        """A variable's value in the last solution."""
        return float(self.variables[index].solution_value())

    def fix(self, index: int, low: int, high: int) -> None:
        """Holds a variable within bounds from now on."""
        self.variables[index].SetBounds(low, high)
