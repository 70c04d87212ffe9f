"""The terms of the health score: what is known of a member, on scales that a straight line fits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from operators.members.health.alive import Floats, Parameters, buys_within, buys_within_many
from operators.members.health.history import LONG, SHORT, Histories, History

HORIZON = 30.0  # days
TERMS = ("base", "trend", "cadence", "recency", "frequency", "engagement", "returns")
# Gaps of this many purchases' worth of the others are added to a member's own few.
SHRINK = 2.0
TREND_MOST = 2.0  # powers of two
LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Ground:
    """What the terms are computed with: the model of purchases (in days), the usual gap."""

    purchases: Parameters
    gap: float


def usual_gap(members: Histories) -> float:
    """The mean gap between purchases of those who have any."""
    return max(float(members.last.sum()) / max(float(members.repeats.sum()), 1.0), 1.0)


def own_gap(ground: Ground, one: History) -> float:
    """A member's own mean gap, drawn to the usual one as long as it has few."""
    return (one.last + SHRINK * ground.gap) / (one.repeats + SHRINK)


def terms(ground: Ground, one: History) -> tuple[float, ...]:
    """The terms of a member, in the order of `TERMS`."""
    chance = buys_within(ground.purchases, one.repeats, one.last, one.age, HORIZON)
    chance = min(max(chance, LEAST), 1 - LEAST)
    ratio = one.short * LONG / max(one.long * SHORT, LEAST)
    return (
        math.log(chance / (1 - chance)),
        min(max(math.log2(max(ratio, LEAST)), -TREND_MOST), TREND_MOST),
        math.log1p(one.silence / own_gap(ground, one)),
        math.log1p(one.silence),
        math.log1p(one.repeats),
        math.log1p(one.engaged),
        one.returned,
    )


def terms_many(ground: Ground, many: Histories) -> Floats:
    """`terms` of many members, a row each."""
    chance = buys_within_many(ground.purchases, many.repeats, many.last, many.age, HORIZON)
    chance = np.clip(chance, LEAST, 1 - LEAST)
    ratio = many.short * LONG / np.maximum(many.long * SHORT, LEAST)
    silence = many.age - many.last
    gap = (many.last + SHRINK * ground.gap) / (many.repeats + SHRINK)
    return np.column_stack(
        [
            np.log(chance / (1 - chance)),
            np.clip(np.log2(np.maximum(ratio, LEAST)), -TREND_MOST, TREND_MOST),
            np.log1p(silence / gap),
            np.log1p(silence),
            np.log1p(many.repeats),
            np.log1p(many.engaged),
            many.returned,
        ]
    )
