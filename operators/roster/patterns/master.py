"""The linear program over patterns: a share of each, everybody's shares together one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from ortools.linear_solver import pywraplp

from operators.roster.patterns.cover import Cover, Floats, Pattern

# Solving again after some columns more begins from the last basis.
_INCREMENTAL = pywraplp.MPSolverParameters()
_INCREMENTAL.SetIntegerParam(
    pywraplp.MPSolverParameters.INCREMENTALITY, pywraplp.MPSolverParameters.INCREMENTALITY_ON
)
# A share below this is a solver's rounding.
_NOTHING = 1e-6
_FAST = "use_preprocessing:false use_dual_simplex:false"


class Solution(NamedTuple):
    """The optimum for the patterns so far, and what it says about others.

    `charges` is what a head costs in each row, `dues` what everybody's pattern costs at present:
    a pattern is worth adding when its cost with its charges is below its person's due. `shares` has
    the patterns with a share, the largest first.
    """

    cost: float
    charges: Floats
    dues: dict[int, float]
    shares: list[tuple[float, Pattern]]

    def reduced(self, pattern: Pattern) -> float:
        """How much dearer a pattern is than its person's due."""
        charged = float(self.charges[pattern.rows].sum())
        return pattern.cost + charged - self.dues[pattern.person]


class Master:
    """The program; patterns are added as they are found."""

    def __init__(self, cover: Cover, people: Iterable[int]) -> None:
        self._solver = pywraplp.Solver.CreateSolver("GLOP")
        self._solver.SuppressOutput()
        self._solver.SetSolverSpecificParametersAsString(_FAST)
        self._objective = self._solver.Objective()
        self._objective.SetMinimization()
        self._objective.SetOffset(float(cover.table[:, 0].sum()))
        self._rows = [self._solver.Constraint(0, 0) for _ in range(cover.rows)]
        self._one = {person: self._solver.Constraint(1, 1) for person in people}
        self._columns: dict[tuple[int, int, bytes], tuple[Pattern, Any]] = {}
        self._shut: list[Any] = []
        for row, steps in zip(self._rows, cover.steps.tolist(), strict=True):
            for step, group in groupby(steps):
                heads = self._solver.NumVar(0, len(list(group)), "")
                self._objective.SetCoefficient(heads, step)
                row.SetCoefficient(heads, -1)

    def add(self, patterns: Iterable[Pattern]) -> int:
        """Adds patterns that are not there yet; how many those are."""
        added = 0
        for pattern in patterns:
            if pattern.key in self._columns:
                continue
            share = self._solver.NumVar(0, self._solver.infinity(), "")
            self._objective.SetCoefficient(share, pattern.cost)
            self._one[pattern.person].SetCoefficient(share, 1)
            for row in pattern.rows.tolist():
                self._rows[row].SetCoefficient(share, 1)
            self._columns[pattern.key] = pattern, share
            added += 1
        return added

    def solve(self, seconds: float) -> Solution | None:
        """The optimum; None where there is none, or no time."""
        if seconds <= 0:
            return None
        self._solver.SetTimeLimit(max(1, int(seconds * 1_000)))
        if self._solver.Solve(_INCREMENTAL) != pywraplp.Solver.OPTIMAL:
            return None
        charges = np.array([-row.dual_value() for row in self._rows])
        dues = {person: one.dual_value() for person, one in self._one.items()}
        shares = [
            (value, pattern)
            for pattern, share in self._columns.values()
            if (value := share.solution_value()) > _NOTHING
        ]
        shares.sort(key=lambda one: -one[0])
        return Solution(float(self._objective.Value()), charges, dues, shares)

    def keep(self, person: int, row: int) -> bool:
        """From now on the person is a head in the row; False where no pattern left has that."""
        mine = [
            (pattern, share)
            for pattern, share in self._columns.values()
            if pattern.person == person and share.ub() > 0
        ]
        others = [share for pattern, share in mine if row not in pattern.rows]
        if len(others) == len(mine):
            return False
        for share in others:
            share.SetUb(0)
            self._shut.append(share)
        return True

    def free(self) -> None:
        """All patterns may be worked again."""
        for share in self._shut:
            share.SetUb(self._solver.infinity())
        self._shut.clear()

    @property
    def patterns(self) -> list[Pattern]:
        """All patterns there are."""
        return [pattern for pattern, _ in self._columns.values()]
