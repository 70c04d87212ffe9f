"""The greedy answer: always the best next move.

Pack by pack it is the best answer there is where a trip costs nothing by itself and there is one
donor or one taker: gains fall and costs rise with each pack. Otherwise it is a good start.
"""

from __future__ import annotations

from itertools import accumulate

from operators.stock.transfers.problem import Packs, Problem, totals


def greedy(problem: Problem) -> Packs:
    """Packs by way: pack by pack where that is enough, else the best trip after the best trip."""
    packs = [0] * len(problem.ways)
    while (step := _best_step(problem, packs)) is not None:
        at, units = step
        packs[at] += units
    return packs


def _best_step(problem: Problem, packs: Packs) -> tuple[int, int] | None:
    """The way and the number of packs that bring most as the next step, None if nothing does."""
    given, taken = totals(problem, packs)
    plain = problem.is_plain()
    best: tuple[int, int] | None = None
    best_value = 0
    for at, way in enumerate(problem.ways):
        costs = problem.costs[way.donor][given[way.donor] :]
        gains = problem.gains[way.taker][taken[way.taker] :]
        begun = packs[at] > 0
        value = 0 if begun else -way.fixed
        steps = (gain - cost - way.pack_cost for gain, cost in zip(gains, costs, strict=False))
        least = 1 if begun else way.least
        for units, worth in enumerate(accumulate(steps, initial=value)):
            if units >= max(1, least) and worth > best_value:
                best, best_value = (at, units), worth
            if plain and units == 1:
                break
    return best
