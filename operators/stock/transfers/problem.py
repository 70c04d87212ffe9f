"""How many packs from whom to whom: the bare problem, in whole numbers.

A thousandth of a minor money unit (a milli-fen) is the unit of all values, so that two solvers and
a brute force compute the very same worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Way(NamedTuple):
    """A donor's way to a taker: cost of a pack, cost of going at all, fewest packs of a trip."""

    donor: int
    taker: int
    pack_cost: int
    fixed: int
    least: int


class Problem(NamedTuple):
    """What may be moved and what that is worth.

    `costs[donor]` is what the 1st, 2nd, ... pack costs the donor himself (rising), `gains[taker]`
    what it brings the taker (falling); neither can give or take more packs than are listed.
    """

    costs: Sequence[Sequence[int]]
    gains: Sequence[Sequence[int]]
    ways: Sequence[Way]

    def most(self, way: Way) -> int:
        """The most packs that could go this way."""
        return min(len(self.costs[way.donor]), len(self.gains[way.taker]))

    def is_plain(self) -> bool:
        """Whether a trip costs nothing by itself, so that packs may be judged one by one."""
        return all(way.fixed == 0 and way.least <= 1 for way in self.ways)


# Packs by way, in the order of `Problem.ways`.
Packs = list[int]


def worth(problem: Problem, packs: Packs) -> int:
    """What moving so many packs brings, all costs off."""
    given, taken = totals(problem, packs)
    value = sum(
        sum(gains[:units]) for gains, units in zip(problem.gains, taken, strict=True)
    ) - sum(sum(costs[:units]) for costs, units in zip(problem.costs, given, strict=True))
    for way, units in zip(problem.ways, packs, strict=True):
        value -= way.pack_cost * units + (way.fixed if units else 0)
    return value


def totals(problem: Problem, packs: Packs) -> tuple[list[int], list[int]]:
    """Packs by donor and by taker."""
    given, taken = [0] * len(problem.costs), [0] * len(problem.gains)
    for way, units in zip(problem.ways, packs, strict=True):
        given[way.donor] += units
        taken[way.taker] += units
    return given, taken


def is_allowed(problem: Problem, packs: Packs) -> bool:
    """Whether nobody gives or takes more than he can, and no trip is smaller than allowed."""
    given, taken = totals(problem, packs)
    return (
        all(
            units == 0 or units >= way.least for way, units in zip(problem.ways, packs, strict=True)
        )
        and all(n <= len(row) for n, row in zip(given, problem.costs, strict=True))
        and all(n <= len(row) for n, row in zip(taken, problem.gains, strict=True))
    )


def trimmed(problem: Problem) -> Problem:
    """The same problem without the packs that could bring nothing.

    A pack that brings the taker no more than the cheapest way to him costs is never worth it,
    unless a trip has to be as large as that.
    """
    gains = []
    for taker, row in enumerate(problem.gains):
        ways = [way for way in problem.ways if way.taker == taker]
        cheapest = min((way.pack_cost for way in ways), default=0)
        least = max((way.least for way in ways), default=0)
        paying = sum(1 for gain in row if gain > cheapest) if ways else 0
        gains.append(row[: max(paying, least if paying else 0)])
    wanted = sum(map(len, gains))
    costs = [row[:wanted] for row in problem.costs]
    smaller = Problem(costs, gains, problem.ways)
    kept = [way for way in problem.ways if smaller.most(way) >= max(1, way.least)]
    return smaller._replace(ways=kept)
