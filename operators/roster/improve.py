"""Parts of the best roster made anew, each as good as the rest allows, until the search is over."""

from __future__ import annotations

from ortools.sat.python import cp_model

from operators.roster.construct import refilled
from operators.roster.diving import Diver
from operators.roster.extract import extract, hint
from operators.roster.model.build import build_model
from operators.roster.model.builder import Part
from operators.roster.neighbourhoods import Draws, Neighbourhoods, merged, shapes_of
from operators.roster.roster import Roster
from operators.roster.solver import SOLVED, solver_of
from operators.roster.standing import Standing

# A part that takes longer than this, or this share of the budget, is too large to be worth it.
PART_S, PART_SHARE = 4.0, 1 / 15
# CP-SAT measures its work by itself, whatever else the machine does: so much of it takes a second.
WORK_A_SECOND = 0.25
# The last bit of a part takes most of its time: only of the whole roster is it looked for.
PART_GAP = 2e-4
# Cells of the parts that dives make anew: small ones are fast, large ones find what those miss.
DIVE_CELLS = (10, 42)
# One in so many parts is made by CP-SAT, which sees all rules, the others by dives.
TURNS = 4


class Improver:
    """One thread's work: parts by CP-SAT and, where there is a diver, by dives."""

    def __init__(self, standing: Standing, draws: Draws, diver: Diver | None) -> None:
        problem = standing.problem
        self._standing = standing
        self._diver = diver
        self._solving = Neighbourhoods(problem, draws)
        self._diving = Neighbourhoods(problem, draws, DIVE_CELLS)
        self._part_s = max(0.3, min(PART_S, standing.budget.seconds * PART_SHARE))

    def run(self) -> None:
        """Parts by turns."""
        turn = 0 if self._solving.begins_whole else 1
        while not self._standing.over:
            if self._diver is None or turn % TURNS == 0:
                self._solve()
            else:
                self._dive(self._diver)
            turn += 1

    def _solve(self) -> None:
        best, _ = self._standing.now()
        part = self._solving.draw(shapes_of(self._standing.problem, best))
        tried, proved = self._solved(part, best)
        better = tried is not None and self._take(tried, part, f"part of {len(part.free)}")
        self._solving.took(proved, better)
        self._standing.parts += 1
        if proved and self._solving.is_whole(part):
            _, found = self._standing.now()
            self._standing.bounded(float(found.total))

    def _dive(self, diver: Diver) -> None:
        standing = self._standing
        best, found = standing.now()
        kept = shapes_of(standing.problem, best)
        part = self._diving.draw(kept)
        shapes = diver.part(kept, part.free, found.total, self._wall)
        made = None
        if shapes is not None:
            made = refilled(standing.problem, best, shapes, self._wall, standing.budget.seed)
        if made is not None:
            self._take(made, part, f"dive into {len(part.free)}")
        standing.parts += 1

    def _take(self, made: Roster, part: Part, how: str) -> bool:
        """Also where another thread was quicker: then its roster with our days."""
        standing = self._standing
        return standing.take(made, how) or standing.take(merged(standing.now()[0], made, part), how)

    def _wall(self) -> float:
        return self._standing.left() * self._standing.budget.stretch

    def _solved(self, part: Part, best: Roster) -> tuple[Roster | None, bool]:
        """The best roster that differs in a part only, and whether it is proved the best."""
        build = build_model(self._standing.problem, part=part)
        hint(build, best)
        solver = solver_of(self._wall(), self._standing.budget.seed)
        solver.parameters.max_deterministic_time = self._part_s * WORK_A_SECOND
        if len(part.free) < len(build.choices):
            solver.parameters.relative_gap_limit = PART_GAP
        with self._standing.stopping(solver):
            status = solver.solve(build.model)
        found = extract(build, solver, best) if status in SOLVED else None
        return found, status == cp_model.OPTIMAL
