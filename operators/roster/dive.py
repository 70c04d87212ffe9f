"""From the linear relaxation to whole shifts: the surest values are fixed, the rest solved again.

First who works on which day, then the shape of each shift. A step that leaves no solution is taken
back, and its surest value forbidden instead. Each step goes on from the last solution, so that a
dive takes about as long as the first solution of the relaxation. What is lost against the bound is
lost in the last steps, when little is left to choose from: parts of it are made anew later.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from operators.roster.model.builder import Builder
from operators.roster.problem import Shape
from operators.roster.relaxation import Relaxation

# Values at least so near to 1 are fixed together, and always some of the largest.
SURE = 0.7
# One in so many of what is not decided is fixed at a time.
SHARE = 12
# How many steps are taken back at a dead end, and how often.
STEPS_BACK, RETREATS = 3, 6
# Whole, as far as a linear solver's rounding lets one see.
_WHOLE = 1e-5

Cell = tuple[int, int]
Shapes = dict[Cell, Shape]


def dive(
    build: Builder,
    relaxation: Relaxation,
    left: Callable[[], float],
    below: float = math.inf,
) -> Shapes | None:
    """Shapes, those who are off left out; None where time was short, or nothing costs less."""
    works = [build.work[key].index for key in build.choices if build.choices[key]]
    shapes = [chosen.index for choices in build.choices.values() for _, chosen in choices]
    refused = retreats = 0
    trail: list[list[int]] = []
    while True:
        undecided = _undecided(relaxation, works) or _undecided(relaxation, shapes)
        if not undecided:
            return _whole(build, relaxation)
        many = max(1, len(undecided) // SHARE)
        picked = [
            index for at, (value, index) in enumerate(undecided) if value >= SURE or at < many
        ]
        for index in picked:
            relaxation.fix(index, 1, 1)
        least = relaxation.solve(left(), dual=True)
        if least is not None and least < below:
            trail.append(picked)
            continue
        if left() <= 0 or least is not None:
            return None
        refused += 1
        for index in picked:
            relaxation.fix(index, 0, 1)
        # Of several that do not go together, the surest alone is tried before it is forbidden.
        if len(picked) > 1:
            relaxation.fix(picked[0], 1, 1)
            if relaxation.solve(left(), dual=True) is not None:
                trail.append(picked[:1])
                continue
        relaxation.fix(picked[0], 0, 0)
        if refused > len(works):
            return None
        while relaxation.solve(left(), dual=True) is None:
            # A dead end: some steps back, and another way from there, for what is forbidden stays.
            retreats += 1
            if left() <= 0 or retreats > RETREATS or not trail:
                return None
            for index in (index for step in trail[-STEPS_BACK:] for index in step):
                relaxation.fix(index, 0, 1)
            del trail[-STEPS_BACK:]


def _undecided(relaxation: Relaxation, indices: list[int]) -> list[tuple[float, int]]:
    """Those between 0 and 1, the largest first."""
    found = [
        (value, index)
        for index in indices
        if _WHOLE < (value := relaxation.value(index)) < 1 - _WHOLE
    ]
    return sorted(found, reverse=True)


def _whole(build: Builder, relaxation: Relaxation) -> Shapes:
    return {
        key: shape
        for key, choices in build.choices.items()
        for shape, chosen in choices
        if relaxation.value(chosen.index) > 0.5
    }
