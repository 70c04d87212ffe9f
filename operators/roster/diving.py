"""Rosters from the linear relaxation: its bound, a dive through all of it, dives through parts."""

from __future__ import annotations

from collections.abc import Callable, Collection

from operators.roster.dive import Cell, Shapes, dive
from operators.roster.model.build import build_model
from operators.roster.problem import Problem, Shape
from operators.roster.relaxation import Relaxation


class Diver:
    """The loose model's relaxation, solved once and from then on changed by its bounds only."""

    def __init__(self, problem: Problem) -> None:
        self._build = build_model(problem, loose=True)
        self._relaxation = Relaxation(self._build)

    def bound(self, left: Callable[[], float]) -> float | None:
        """What no roster costs less than; None where there is no roster, or no time."""
        least = self._relaxation.solve(left())
        return None if least is None else self._relaxation.bound(least)

    def values(self) -> dict[tuple[Cell, Shape], float]:
        """How much of each choice the last solution has."""
        return {
            (cell, shape): self._relaxation.value(chosen.index)
            for cell, choices in self._build.choices.items()
            for shape, chosen in choices
        }

    def whole(self, left: Callable[[], float]) -> Shapes | None:
        """A dive through everything; None where there was no way, or no time."""
        for slack in self._build.slacks:
            self._relaxation.fix(slack.index, 0, 0)
        if self._relaxation.solve(left(), dual=True) is None:
            return None
        return dive(self._build, self._relaxation, left)

    def part(
        self, kept: Shapes, free: Collection[Cell], below: float, left: Callable[[], float]
    ) -> Shapes | None:
        """Shapes that are others in the free cells; None where nothing was found below a cost."""
        for cell, choices in self._build.choices.items():
            if not choices:
                continue
            is_free, shape = cell in free, kept.get(cell)
            at = int(shape is not None)
            work = self._build.work[cell].index
            self._relaxation.fix(work, *((0, 1) if is_free else (at, at)))
            for there, chosen in choices:
                at = int(there == shape)
                self._relaxation.fix(chosen.index, *((0, 1) if is_free else (at, at)))
        least = self._relaxation.solve(left(), dual=True)
        if least is None or least >= below:
            return None
        return dive(self._build, self._relaxation, left, below)
