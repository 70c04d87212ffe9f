"""The best roster found within a budget, with the bound that no roster is below.

A first legal roster comes from the model without its costs. Then parts of it are made anew, each
as good as the rest allows (large neighbourhood search): whole days, or some people's weeks. Parts
that are solved fast grow, parts that are not shrink. The bound comes from the linear relaxation of
the whole model, in a thread of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from typing import Any

from ortools.sat.python import cp_model

from operators.roster.bound import start_bound
from operators.roster.evaluate import Evaluation, evaluate
from operators.roster.extract import extract
from operators.roster.model.build import build_model
from operators.roster.model.builder import Builder, Part
from operators.roster.neighbourhoods import Draws, Neighbourhoods
from operators.roster.problem import Problem, Shape
from operators.roster.roster import Roster

SOLVED = frozenset({cp_model.OPTIMAL, cp_model.FEASIBLE})
# A part that takes longer than this is too large to be worth it.
PART_S = 4.0


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to look, with how many threads, and how near the bound is near enough."""

    seconds: float = 60.0
    workers: int = 2
    gap: float = 0.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """The best roster known, its evaluation, and the bound; no roster where none was found.

    `proved_infeasible`: no roster keeps the hard rules. `parts` is how many were made anew.
    """

    roster: Roster | None
    evaluation: Evaluation | None
    bound: float
    seconds: float
    proved_infeasible: bool = False
    parts: int = 0

    @property
    def gap(self) -> float | None:
        """How far above the bound, as a share of the cost; None without a roster or a bound."""
        if self.evaluation is None or math.isinf(self.bound):
            return None
        cost = self.evaluation.total
        return max(0.0, cost - self.bound) / max(1.0, abs(cost))


class Search:
    """One search: the clock and the randomness come from outside."""

    def __init__(
        self, problem: Problem, budget: Budget, clock: Callable[[], float], draws: Draws
    ) -> None:
        self._problem = problem
        self._budget = budget
        self._clock = clock
        self._began = clock()
        self._draws = draws

    def run(self, given: Roster | None) -> Answer:
        """The best roster; never one that costs more than a legal one given."""
        best, found = None, None
        if given is not None and not (judged := evaluate(self._problem, given)).violations:
            best, found = given, judged
        build = build_model(self._problem)
        bounding = start_bound(build.model, self._left())
        if best is None:
            status, best = self._first(build)
            if best is None:
                infeasible = status == cp_model.INFEASIBLE
                return Answer(None, None, -math.inf, self._elapsed(), infeasible)
            found = evaluate(self._problem, best)
        assert found is not None
        bound, parts = -math.inf, 0
        hoods = Neighbourhoods(self._problem, self._draws)
        while self._left() > 0.05:
            if bounding.done():
                bound = bounding.result()
                if found.total - bound <= self._budget.gap * abs(found.total):
                    break
            part = hoods.draw(shapes_of(self._problem, best))
            tried, proved = self._improve(part, best)
            parts += 1
            if tried is not None:
                judged = evaluate(self._problem, tried)
                if not judged.violations and judged.total < found.total:
                    best, found = tried, judged
                    hoods.won()
            hoods.took(proved)
            if hoods.nothing_left(proved):
                bound = max(bound, float(found.total))
                break
        try:
            bound = max(bound, bounding.result(timeout=max(0.0, self._left())))
        except NotYet:
            bounding.cancel()
        return Answer(best, found, bound, self._elapsed(), parts=parts)

    def _elapsed(self) -> float:
        return self._clock() - self._began

    def _left(self) -> float:
        return self._budget.seconds - self._elapsed()

    def _first(self, build: Builder) -> tuple[Any, Roster | None]:
        """Any legal roster."""
        trial = build.model.clone()
        trial.clear_objective()
        solver = solver_of(replace(self._budget, seconds=max(0.1, self._left())))
        status = solver.solve(trial)
        return status, extract(build, solver) if status in SOLVED else None

    def _improve(self, part: Part, best: Roster) -> tuple[Roster | None, bool]:
        """The best roster that differs in a part only, and whether it is proved the best."""
        build = build_model(self._problem, part=part)
        spans = best.spans()
        for key in part.free:
            for shape, chosen in build.choices[key]:
                build.model.add_hint(chosen, spans.get(key) == (shape.start, shape.end))
        limit = max(0.05, min(PART_S, self._left()))
        solver = solver_of(replace(self._budget, seconds=limit))
        status = solver.solve(build.model)
        found = extract(build, solver, best) if status in SOLVED else None
        return found, status == cp_model.OPTIMAL


def solve(
    problem: Problem,
    clock: Callable[[], float],
    draws: Draws,
    budget: Budget | None = None,
    given: Roster | None = None,
) -> Answer:
    """The best roster found within the budget; `clock` counts seconds."""
    return Search(problem, budget or Budget(), clock, draws).run(given)


def shapes_of(problem: Problem, roster: Roster) -> dict[tuple[int, int], Shape]:
    """The shapes of a roster's shifts by person and day."""
    return {key: problem.shape(*span) for key, span in roster.spans().items()}


def solver_of(budget: Budget) -> cp_model.CpSolver:
    """A solver with the budget's parameters.

    Probing and symmetries take longer than they save on parts that are solved in a second.
    """
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = budget.seconds
    solver.parameters.num_workers = budget.workers
    solver.parameters.random_seed = budget.seed
    solver.parameters.cp_model_probing_level = 0
    solver.parameters.symmetry_level = 0
    solver.parameters.max_presolve_iterations = 1
    return solver
