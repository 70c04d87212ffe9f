"""Thresholds on real baskets: what each would give away, and what it would have to bring.

A basket that reaches the threshold without the coupon gets the discount for nothing: deadweight.
One a little below may be filled up. What members really do shows only against a control; until then
the gain is given for a low, a middle and a high response, as assumptions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

NEAR = 0.8  # of the threshold: from here on a basket may be filled up
# Shares of near misses that fill up to the threshold: assumed, not measured.
RESPONSES = (0.05, 0.15, 0.30)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A threshold on a set of baskets; money in minor units, per 1,000 baskets."""

    threshold: int
    off: int
    deadweight: float  # share of baskets that get it for nothing
    near_miss: float
    out_of_reach: float
    given_away: float
    gains: tuple[float, float, float]  # margin at the responses, net of what is given away
    break_even_response: float | None  # share of near misses; None: no response is enough
    break_even_visits: float | None  # extra visits at the threshold; None: each one loses


def replay(
    baskets: Sequence[int], offers: Sequence[tuple[int, int]], margin: float
) -> list[Replayed]:
    """Judge offers (threshold, off) on baskets of goods that they are for.

    `margin` is the share of a basket that is left after the goods are paid.
    """
    ordered = sorted(baskets)
    return [_one(ordered, threshold, off, margin) for threshold, off in offers]


def _one(ordered: Sequence[int], threshold: int, off: int, margin: float) -> Replayed:
    many = max(len(ordered), 1)
    over = bisect_left(ordered, threshold)
    near = bisect_left(ordered, NEAR * threshold)
    deadweight = (len(ordered) - over) / many
    given_away = 1_000 * off * deadweight
    # Who fills up pays the difference, and gets the discount.
    filled = 1_000 / many * sum(margin * (threshold - one) - off for one in ordered[near:over])
    low, middle, high = (part * filled - given_away for part in RESPONSES)
    needed = given_away / filled if filled > 0 else None
    each = margin * threshold - off
    return Replayed(
        threshold,
        off,
        deadweight,
        (over - near) / many,
        near / many,
        given_away,
        (low, middle, high),
        needed if needed is not None and needed <= 1 else None,
        given_away / each if each > 0 else None,
    )
