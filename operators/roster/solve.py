"""The best roster found within a budget, with the bound that no roster is below.

A legal roster is made first, person by person and day by day; where that fails, any one is looked
for in the whole model. The linear relaxation of the whole model gives the bound, where there is
time for it, and by diving from it a better roster. Then parts of the best one are made anew, each
as good as the rest allows (large neighbourhood search): whole days, or some people's weeks. Parts
that are solved fast grow, others shrink.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Event, Lock

from ortools.sat.python import cp_model

from operators.roster.construct import completed, construct, refilled
from operators.roster.dive import Cell
from operators.roster.diving import Diver
from operators.roster.evaluate import Evaluation, evaluate
from operators.roster.extract import extract, hint
from operators.roster.model.build import build_model
from operators.roster.model.builder import Part
from operators.roster.neighbourhoods import Draws, Neighbourhoods, merged, shapes_of
from operators.roster.problem import Problem, Shape
from operators.roster.roster import Roster
from operators.roster.solver import SOLVED, solver_of

# A part that takes longer than this, or this share of the budget, is too large to be worth it.
PART_S, PART_SHARE = 4.0, 1 / 15
# CP-SAT measures its work by itself, whatever else the machine does: so much of it takes a second.
WORK_A_SECOND = 0.25
# The last bit of a part takes most of its time: only of the whole roster is it looked for.
PART_GAP = 2e-4
# The share of the budget in which any legal roster is looked for before the relaxation.
FIRST_SHARE = 0.2
# What may go into the relaxation and the dive, as a share of the budget: the rest improves.
RELAXING = 0.9
# What may go into a first roster made person by person, as a share of the budget.
CONSTRUCTING = 0.6
# The relaxation is worth its time if there are not more choices of shifts than so many a second of
# the budget, and the dive if a solution takes no longer than this share of the budget.
CHOICES_A_SECOND, DIVE_SHARE = 2_000, 0.3
# Cells of the first part that a dive makes anew.
DIVE_CELLS = 40
# Of a small shop it always is.
FEW_CHOICES = 7_000


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to look, with how many threads, and how near the bound is near enough.

    `stretch`: seconds on the wall that one of the clock may take; more than 1 for a clock that
    counts CPU time on a machine that others use.
    """

    seconds: float = 60.0
    workers: int = 2
    gap: float = 0.0
    seed: int = 1
    stretch: float = 1.0


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
        self,
        problem: Problem,
        budget: Budget,
        clock: Callable[[], float],
        draws: Draws,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._problem = problem
        self._budget = budget
        self._clock = clock
        self._began = clock()
        self._draws = draws
        self._part_s = max(0.3, min(PART_S, budget.seconds * PART_SHARE))
        self._told = told
        self._best: Roster | None = None
        self._found: Evaluation | None = None
        self._bound = -math.inf
        self._parts = 0
        self._taking = Lock()
        self._relaxed_enough = Event()

    def run(self, given: Roster | None) -> Answer:
        """The best roster; never one that costs more than a legal one given."""
        if given is not None:
            self._take(given, "given")
        with ThreadPoolExecutor(max_workers=self._budget.workers) as pool:
            relaxing = None
            if self._budget.workers > 1 and self._is_relaxed():
                relaxing = pool.submit(self._relax)
            try:
                if self._begin(relaxing):
                    return Answer(None, None, -math.inf, self._elapsed(), proved_infeasible=True)
                if self._best is not None:
                    self._improve(pool, relaxing)
            finally:
                self._relaxed_enough.set()
        return Answer(self._best, self._found, self._bound, self._elapsed(), parts=self._parts)

    def _begin(self, relaxing: Future[None] | None) -> bool:
        """A first legal roster, and what the relaxation has to say; whether there is none."""
        if self._best is None:
            until = self._budget.seconds * CONSTRUCTING
            made = construct(self._problem, lambda: until - self._elapsed(), self._budget.seed)
            if made is not None:
                self._take(made, "first, person by person")
        if self._best is None and self._first(self._left() * FIRST_SHARE):
            return True
        if relaxing is None and (self._best is None or self._is_relaxed()):
            self._relax()
        elif relaxing is not None and self._best is None:
            relaxing.result()
        return self._best is None and self._first(max(1.0, self._left()))

    def _elapsed(self) -> float:
        return self._clock() - self._began

    def _left(self) -> float:
        return self._budget.seconds - self._elapsed()

    def _is_relaxed(self) -> bool:
        """Whether the relaxation is worth its time."""
        cells = len(self._problem.people) * len(self._problem.days)
        affordable = max(FEW_CHOICES, CHOICES_A_SECOND * self._budget.seconds)
        return cells * len(self._problem.shapes) <= affordable

    def _take(self, roster: Roster, how: str) -> bool:
        """Keeps a roster that is legal and better than the best."""
        judged = evaluate(self._problem, roster)
        with self._taking:
            if judged.violations or (self._found is not None and judged.total >= self._found.total):
                return False
            self._best, self._found = roster, judged
            self._told(f"{self._elapsed():7.1f} s  cost {judged.total:>12,}  {how}")
        return True

    def _first(self, seconds: float) -> bool:
        """Takes any legal roster; whether there is none at all."""
        build = build_model(self._problem)
        build.model.clear_objective()  # type: ignore[no-untyped-call]
        solver = solver_of(seconds, self._budget.seed, priced=False)
        status = solver.solve(build.model)
        if status in SOLVED:
            self._take(extract(build, solver), "first")
        return bool(status == cp_model.INFEASIBLE)

    def _relax(self) -> None:
        """The bound, and a roster by diving; beside the search where there are several threads."""
        until, began = self._budget.seconds * RELAXING, self._elapsed()

        def left() -> float:
            over = self._relaxed_enough.is_set()
            return 0.0 if over else (until - self._elapsed()) * self._budget.stretch

        diver = Diver(self._problem)
        bound = diver.bound(left)
        if bound is None:
            return
        self._bound = max(self._bound, bound)
        self._told(f"{self._elapsed():7.1f} s  no roster costs less than {self._bound:,.0f}")
        values = diver.values()
        if self._best is not None and self._elapsed() - began > self._budget.seconds * DIVE_SHARE:
            return
        dived = diver.whole(left)
        if dived is not None:
            roster = completed(self._problem, dived, left, self._budget.seed)
            if roster is not None:
                self._take(roster, "dive")
        if self._best is None and (roster := self._nearest(values)) is not None:
            self._take(roster, "near the relaxation")
        if self._budget.workers > 1 and self._best is not None:
            self._dive_on(diver, left)

    def _dive_on(self, diver: Diver, left: Callable[[], float]) -> None:
        """Parts made anew by dives, until the time is up or the search near enough."""
        hoods = Neighbourhoods(self._problem, self._draws, DIVE_CELLS)
        while left() > 0:
            best, found = self._best, self._found
            assert best is not None
            assert found is not None
            kept = shapes_of(self._problem, best)
            part = hoods.draw(kept)
            shapes, none = diver.part(kept, part.free, found.total, left)
            roster = None
            if shapes is not None:
                roster = refilled(self._problem, best, shapes, left, self._budget.seed)
            better = roster is not None and (
                self._take(roster, f"dive into {len(part.free)}")
                or self._take(merged(self._best or best, roster, part), "dive, merged")
            )
            hoods.took(none, better)

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
        solver = solver_of(self._left() / 6, self._budget.seed, priced=False)
        status = solver.solve(build.model)
        return extract(build, solver) if status in SOLVED else None

    def _improve(self, pool: ThreadPoolExecutor, relaxing: Future[None] | None) -> None:
        """Parts made anew, until the time is up or the bound near enough."""
        hoods = Neighbourhoods(self._problem, self._draws)
        while self._left() > 0.05 and not self._near_enough():
            best = self._best
            assert best is not None
            shapes = shapes_of(self._problem, best)
            # One thread less while the relaxation has it.
            free = self._budget.workers - (relaxing is not None and not relaxing.done())
            parts = [hoods.draw(shapes) for _ in range(free)]
            for part, (tried, proved) in zip(
                parts,
                pool.map(partial(self._part, best=best, seconds=self._part_s), parts),
                strict=True,
            ):
                self._parts += 1
                how = f"part of {len(part.free)}"
                better = tried is not None and (
                    self._take(tried, how)
                    or self._take(merged(self._best or best, tried, part), how)
                )
                hoods.took(proved, better)
                if proved and hoods.is_whole(part):
                    assert self._found is not None
                    self._bound = max(self._bound, float(self._found.total))

    def _near_enough(self) -> bool:
        assert self._found is not None
        return self._found.total - self._bound <= self._budget.gap * abs(self._found.total)

    def _solver(self, seconds: float) -> cp_model.CpSolver:
        """A solver for some seconds' work, however long that takes while there is time."""
        solver = solver_of(self._left() * self._budget.stretch, self._budget.seed)
        solver.parameters.max_deterministic_time = seconds * WORK_A_SECOND
        return solver

    def _part(self, part: Part, best: Roster, seconds: float) -> tuple[Roster | None, bool]:
        """The best roster that differs in a part only, and whether it is proved the best."""
        build = build_model(self._problem, part=part)
        hint(build, best)
        solver = self._solver(seconds)
        if len(part.free) < len(build.choices):
            solver.parameters.relative_gap_limit = PART_GAP
        status = solver.solve(build.model)
        found = extract(build, solver, best) if status in SOLVED else None
        return found, status == cp_model.OPTIMAL


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
