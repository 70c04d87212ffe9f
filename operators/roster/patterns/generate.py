"""Patterns made as the linear program asks for them (column generation), and whole ones from it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from operators.roster.neighbourhoods import Draws
from operators.roster.patterns.cover import Cover, Floats, Maker, Pattern
from operators.roster.patterns.master import Master, Solution

# What a pattern has to save to be worth adding, and how near the bound is at the bound.
WORTH = 1e-6
NEAR = 1e-4
# Patterns of a person that are added at a time.
MANY = 3
# A dive pins what is nearly whole, and always one in so many of what is not decided: fewer at a
# time take longer and end nearer the bound.
SURE, SHARES = 0.95, (16, 32)
# Up to 100 of these are added to a share, so that dives differ.
NOISE = 2e3
# What is as good as whole.
WHOLE = 1e-5
# Rounds of new patterns after each step of a dive, and how near the step's bound is near enough.
DIVE_ROUNDS, DIVE_NEAR = 10, 0.5
# A charge that nothing outweighs: it keeps a person in a row, or out of it.
PIN = 1e6


class Relaxed(NamedTuple):
    """The linear program's optimum, and what no roster costs less than."""

    solution: Solution
    bound: float

    @property
    def whole_bound(self) -> int:
        """The bound as far as whole costs go."""
        return math.ceil(self.bound - NEAR) if math.isfinite(self.bound) else -(1 << 60)


class Generator:
    """Patterns for some of the people over a cover, by price.

    With `free`, everybody's pattern stays as it is in all other rows.
    """

    def __init__(
        self,
        maker: Maker,
        cover: Cover,
        now: Sequence[Pattern],
        free: NDArray[np.bool_] | None = None,
    ) -> None:
        self._maker, self._rows = maker, cover.rows
        self._people = [pattern.person for pattern in now]
        self.master = Master(cover, self._people)
        self.master.add(now)
        self._pins: dict[int, Floats] = {}
        for pattern in now:
            pins = np.zeros(cover.rows)
            if free is not None:
                pins = np.where(free, 0.0, PIN)
                pins[pattern.rows] *= -1
            self._pins[pattern.person] = pins

    def relax(
        self,
        left: Callable[[], float],
        rounds: int = 10_000,
        ceiling: float = math.inf,
        near: float = NEAR,
    ) -> Relaxed | None:
        """Adds patterns until none is worth it; None where there is no time for a first solution.

        It ends early where no roster can be below `ceiling`, or the bound is `near`.
        """
        solution, bound = self.master.solve(left()), -math.inf
        if solution is None:
            return None
        for _ in range(rounds):
            below, added = 0.0, 0
            for person in self._people:
                if left() <= 0:
                    return Relaxed(solution, bound)
                pins = self._pins[person]
                priced = self._maker.best(person, solution.charges + pins, MANY)
                kept = PIN * np.count_nonzero(pins < 0)
                below += min(0.0, priced.least + kept - solution.dues[person])
                added += self.master.add(
                    one
                    for one in priced.patterns
                    if solution.reduced(one) < -WORTH and pins[one.rows].sum() + kept < PIN / 2
                )
            bound = max(bound, solution.cost + below)
            if not added or solution.cost - bound < near or bound > ceiling - 1 + NEAR:
                break
            after = self.master.solve(left())
            if after is None:
                break
            solution = after
        return Relaxed(solution, bound)

    def dive(
        self, relaxed: Relaxed, left: Callable[[], float], draws: Draws, share: int = SHARES[0]
    ) -> Sequence[Pattern] | None:
        """A whole pattern for everybody: the surest rows are pinned, the rest made anew."""
        solution = relaxed.solution
        pins = {person: one.copy() for person, one in self._pins.items()}
        try:
            while undecided := _undecided(solution):
                many = max(1, len(undecided) // share)
                # Not always the same way down.
                undecided = [
                    (part + draws.randrange(100) / NOISE, person, row)
                    for part, person, row in undecided
                ]
                undecided.sort(reverse=True)
                rows: dict[int, list[int]] = defaultdict(list)
                for place, (part, person, row) in enumerate(undecided):
                    if (part >= SURE or place < many) and self.master.keep(person, row):
                        rows[person].append(row)
                for person, pinned in rows.items():
                    self._pins[person][pinned] = -PIN
                after = self.relax(left, DIVE_ROUNDS, near=DIVE_NEAR)
                if after is None:
                    return None
                solution = after.solution
            best: dict[int, Pattern] = {}
            for _, pattern in solution.shares:
                there = best.get(pattern.person)
                if there is None or pattern.cost < there.cost:
                    best[pattern.person] = pattern
            return list(best.values())
        finally:
            self._pins = pins
            self.master.free()


def _undecided(solution: Solution) -> list[tuple[float, int, int]]:
    """Rows where somebody is a head in part, with how much."""
    shares: dict[tuple[int, int], float] = defaultdict(float)
    for share, pattern in solution.shares:
        for row in pattern.rows.tolist():
            shares[pattern.person, row] += share
    return [
        (share, person, row) for (person, row), share in shares.items() if WHOLE < share < 1 - WHOLE
    ]
