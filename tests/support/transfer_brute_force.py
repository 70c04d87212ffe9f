"""The best packs by way by trying everything: for problems of a few packs."""

from __future__ import annotations

from itertools import product

from operators.stock.transfers.problem import Packs, Problem


def best_by_trying(problem: Problem) -> int:
    """The most that any allowed packs by way are worth, written without the code under test."""
    ranges = [
        range(min(len(problem.costs[way.donor]), len(problem.gains[way.taker])) + 1)
        for way in problem.ways
    ]
    return max(value for packs in product(*ranges) if (value := _worth(problem, packs)) is not None)


def _worth(problem: Problem, packs: tuple[int, ...] | Packs) -> int | None:
    given = [0] * len(problem.costs)
    taken = [0] * len(problem.gains)
    value = 0
    for way, units in zip(problem.ways, packs, strict=True):
        if not units:
            continue
        if units < way.least:
            return None
        value -= way.fixed + units * way.pack_cost
        for _ in range(units):
            if given[way.donor] == len(problem.costs[way.donor]):
                return None
            if taken[way.taker] == len(problem.gains[way.taker]):
                return None
            value -= problem.costs[way.donor][given[way.donor]]
            value += problem.gains[way.taker][taken[way.taker]]
            given[way.donor] += 1
            taken[way.taker] += 1
    return value
