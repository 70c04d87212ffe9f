"""The best roster found within a budget, with the bound that no roster is below.

A legal roster is made first, person by person and day by day; where that fails, any one is looked
for in the whole model. The linear relaxation of a loose model gives the bound, and by diving from
it a better roster. Then parts of the best one are made anew, each as good as the rest allows (large
neighbourhood search): whole days, or some people's weeks. Parts that are solved fast grow, others
shrink. With several threads the relaxation is solved in one while another makes the first roster.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from ortools.sat.python import cp_model

from operators.roster.answer import Answer, Budget
from operators.roster.construct import completed, construct
from operators.roster.dive import Cell
from operators.roster.diving import Diver
from operators.roster.extract import extract
from operators.roster.improve import Improver
from operators.roster.model.build import build_model
from operators.roster.neighbourhoods import Draws
from operators.roster.problem import Problem, Shape
from operators.roster.roster import Roster
from operators.roster.solver import SOLVED, solver_of
from operators.roster.standing import Standing

# The share of the budget in which any legal roster is looked for before the relaxation.
FIRST_SHARE = 0.2
# What may go into the relaxation and the dive, as a share of the budget: the rest improves.
RELAXING = 0.9
# What may go into a first roster made person by person, as a share of the budget.
CONSTRUCTING = 0.6
# The relaxation is worth its time if there are not more choices of shifts than so many a second of
# the budget, and the dive if a solution takes no longer than this share of the budget.
CHOICES_A_SECOND, DIVE_SHARE = 1_000, 0.5
# Of a small shop it always is.
FEW_CHOICES = 7_000


class Search:
    """One search: the clock and the randomness come from outside."""

    def __init__(
        self,
        problem: Problem,
        budget: Budget,
        clock: Callable[[], float],
        draws: Draws,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._problem = problem
        self._budget = budget
        self._draws = draws
        self._standing = Standing(problem, budget, clock, told)

    def run(self, given: Roster | None) -> Answer:
        """The best roster; never one that costs more than a legal one given."""
        standing = self._standing
        if given is not None:
            standing.take(given, "given")
        with ThreadPoolExecutor(max_workers=self._budget.workers) as pool:
            beside: list[Future[None]] = []
            try:
                infeasible = self._run(pool, beside)
            finally:
                standing.stop()
            for one in beside:
                one.result()
        if infeasible:
            return Answer(None, None, -math.inf, standing.elapsed, proved_infeasible=True)
        return Answer(
            standing.best, standing.found, standing.bound, standing.elapsed, parts=standing.parts
        )

    def _run(self, pool: ThreadPoolExecutor, beside: list[Future[None]]) -> bool:
        """Begins, then improves; what runs beside goes to a list. Whether there is no roster."""
        relaxing = None
        if self._budget.workers > 1 and self._is_relaxed():
            relaxing = pool.submit(self._relax_and_improve)
            beside.append(relaxing)
        diver, infeasible = self._begin(relaxing)
        if infeasible or self._standing.best is None:
            return infeasible
        # This thread works, too, and the relaxation's one goes on by itself.
        more = self._budget.workers - 1 - (relaxing is not None)
        beside += [pool.submit(self._improve, None) for _ in range(more)]
        self._improve(diver)
        return False

    def _begin(self, relaxing: Future[None] | None) -> tuple[Diver | None, bool]:
        """A first legal roster, a diver where one was made here; whether there is no roster."""
        standing = self._standing
        diver: Diver | None = None
        if standing.best is None:
            made = construct(self._problem, lambda: standing.left(CONSTRUCTING), self._budget.seed)
            if made is not None:
                standing.take(made, "first, person by person")
        if standing.best is None and self._first(standing.left() * FIRST_SHARE):
            return None, True
        if relaxing is None and (standing.best is None or self._is_relaxed()):
            diver = self._relax()
        elif relaxing is not None and standing.best is None:
            relaxing.result()
        infeasible = standing.best is None and self._first(max(1.0, standing.left()))
        return diver, infeasible

    def _is_relaxed(self) -> bool:
        """Whether the relaxation is worth its time."""
        cells = len(self._problem.people) * len(self._problem.days)
        affordable = max(FEW_CHOICES, CHOICES_A_SECOND * self._budget.seconds)
        return cells * len(self._problem.shapes) <= affordable

    def _first(self, seconds: float) -> bool:
        """Takes any legal roster; whether there is none at all."""
        build = build_model(self._problem)
        build.model.clear_objective()  # type: ignore[no-untyped-call]
        solver = solver_of(seconds, self._budget.seed, priced=False)
        status = solver.solve(build.model)
        if status in SOLVED:
            self._standing.take(extract(build, solver), "first")
        return bool(status == cp_model.INFEASIBLE)

    def _relax_and_improve(self) -> None:
        diver = self._relax()
        if self._standing.best is not None:
            Improver(self._standing, self._draws, diver).run()

    def _improve(self, diver: Diver | None) -> None:
        if diver is None and self._is_relaxed() and not self._standing.over:
            diver = Diver(self._problem)
        Improver(self._standing, self._draws, diver).run()

    def _relax(self) -> Diver | None:
        """The bound, and a roster by diving; None where time was short."""
        standing, began = self._standing, self._standing.elapsed

        def left() -> float:
            return standing.left(RELAXING) * self._budget.stretch

        diver = Diver(self._problem)
        bound = diver.bound(left)
        if bound is None:
            return None
        standing.bounded(bound)
        values = diver.values()
        took = standing.elapsed - began
        if standing.best is not None and took > self._budget.seconds * DIVE_SHARE:
            return diver
        shapes = diver.whole(left)
        if shapes is not None:
            roster = completed(self._problem, shapes, left, self._budget.seed)
            if roster is not None:
                standing.take(roster, "dive")
        if standing.best is None and (roster := self._nearest(values)) is not None:
            standing.take(roster, "near the relaxation")
        return diver

    def _nearest(self, values: dict[tuple[Cell, Shape], float]) -> Roster | None:
        """A legal roster with as many shifts as may be that the relaxation works in part."""
        build = build_model(self._problem)
        build.model.clear_objective()  # type: ignore[no-untyped-call]
        build.model.minimize(
            sum(
                chosen * round(100 * (1 - values.get((cell, shape), 0.0)))
                for cell, choices in build.choices.items()
                for shape, chosen in choices
            )
        )
        solver = solver_of(self._standing.left() / 6, self._budget.seed, priced=False)
        status = solver.solve(build.model)
        return extract(build, solver) if status in SOLVED else None


def solve(
    problem: Problem,
    clock: Callable[[], float],
    draws: Draws,
    budget: Budget | None = None,
    given: Roster | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Answer:
    """The best roster found within the budget; `clock` counts seconds."""
    return Search(problem, budget or Budget(), clock, draws, told).run(given)
