"""Means over weeks, differences of the same weeks with intervals, and which bars are met.

Weeks are pairs: two ways met the same customers. A difference's interval is Student's; that of a
relative change (a ratio of means) is the jackknife's, which leaves out a week at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from scipy.special import stdtrit

# What the mission claims: before and after.
CLAIMS = {"wait_min": (6.2, 3.1), "labour_pct": (28.7, 23.4), "satisfaction": (64.0, 82.0)}
# The bars: the least change of these, as a share of what it was by hand; the sign is a direction.
BARS = {"wait_min": -0.5, "labour_pct": -0.15, "fairness_pct": 0.0, "wishes_pct": 0.0}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval; the interval is None for a single week."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A bar, the relative change found, and what is to be said of it."""

    measure: str
    bar: float
    change: Estimate
    words: str


def difference(before: Sequence[float], after: Sequence[float]) -> Estimate:
    """The mean of `after` less `before`, week by week."""
    pairs = [b - a for a, b in zip(before, after, strict=True)]
    return _around(
        fmean(pairs), stdev(pairs) / math.sqrt(len(pairs)) if len(pairs) > 1 else None, len(pairs)
    )


def relative(before: Sequence[float], after: Sequence[float]) -> Estimate:
    """The change of the mean, as a share of what it was before."""

    def change(kept: Callable[[int], bool]) -> float:
        a = sum(value for at, value in enumerate(before) if kept(at))
        b = sum(value for at, value in enumerate(after) if kept(at))
        return b / a - 1 if a else 0.0

    many = len(before)
    value = change(lambda _: True)
    if many < 2:
        return Estimate(value, None, None)
    without = [change(lambda at, out=out: at != out) for out in range(many)]  # type: ignore[misc]
    middle = fmean(without)
    error = math.sqrt((many - 1) / many * sum((one - middle) ** 2 for one in without))
    return _around(value, error, many)


def _around(value: float, error: float | None, many: int) -> Estimate:
    if error is None:
        return Estimate(value, None, None)
    half = float(stdtrit(many - 1, 0.975)) * error
    return Estimate(value, value - half, value + half)


def verdicts(
    by_hand: Mapping[str, Sequence[float]], ours: Mapping[str, Sequence[float]]
) -> list[Verdict]:
    """Each bar and whether these weeks meet it, in words."""
    found = []
    for measure, bar in BARS.items():
        change = relative(by_hand[measure], ours[measure])
        found.append(Verdict(measure, bar, change, _words(bar, change)))
    return found


def _words(bar: float, change: Estimate) -> str:
    down = bar < 0
    met = change.value <= bar if down else change.value > bar
    if change.low is None or change.high is None:
        return f"{'met' if met else 'NOT met'} in one week, which says little"
    if met:
        sure = change.high <= bar if down else change.low > bar
        return "met" if sure else "met on average, but the interval reaches past the bar"
    within = change.low <= bar if down else change.high > bar
    return "NOT met on average; the interval reaches the bar" if within else "NOT met"
