"""When the band of a member changes because it does nothing."""

from __future__ import annotations

import math
from collections.abc import Callable

from operators.members.health.history import ENGAGED, LONG, SHORT, History
from operators.members.health.model import HealthModel, log_odds
from operators.members.health.terms import HORIZON, LEAST, TREND_MOST, own_gap

_LOOK_DAYS, _FIRST_LOOK = 730.0, 1.0
_CLOSE = 0.5 / 86_400  # days


def quietly(model: HealthModel, one: History) -> Callable[[float], float]:
    """The log odds of a member so many days later, if it does nothing.

    `chance(model, one.after(days))` for many days of one member: what does not change with time is
    computed once.
    """
    constant, slopes = model.constant, {}
    for name, weight in model.weights.items():
        slopes[name] = weight.weight / weight.scale
        constant -= slopes[name] * weight.mean
    constant += slopes.get("frequency", 0.0) * math.log1p(one.repeats)
    constant += slopes.get("returns", 0.0) * one.returned
    base, trend = slopes.get("base", 0.0), slopes.get("trend", 0.0)
    cadence, recency = slopes.get("cadence", 0.0), slopes.get("recency", 0.0)
    engagement = slopes.get("engagement", 0.0) if one.engaged else 0.0
    given, gap, silence = model.purchases, own_gap(model.ground, one), one.silence
    power, reached = given.r + one.repeats, given.alpha + one.last
    leaves, ahead = given.a / (given.b + one.repeats), given.alpha + one.age
    exp, log, log1p, expm1 = math.exp, math.log, math.log1p, math.expm1

    def odds(days: float) -> float:
        total, there = constant, ahead + days
        if base:
            alive = 1 / (1 + leaves * exp(power * log(there / reached)))
            buys = alive * -expm1(power * log(there / (there + HORIZON)))
            buys = min(max(buys, LEAST), 1 - LEAST)
            total += base * log(buys / (1 - buys))
        if trend:
            short, long = one.short * 2.0 ** (-days / SHORT), one.long * 2.0 ** (-days / LONG)
            ratio = max(short * LONG / max(long * SHORT, LEAST), LEAST)
            total += trend * min(max(math.log2(ratio), -TREND_MOST), TREND_MOST)
        if cadence:
            total += cadence * log1p((silence + days) / gap)
        if recency:
            total += recency * log1p(silence + days)
        if engagement:
            total += engagement * log1p(one.engaged * 2.0 ** (-days / ENGAGED))
        return total

    return odds


def changes_band(model: HealthModel, one: History, days: float = _LOOK_DAYS) -> float | None:
    """In how many days the member's band changes if it does nothing; None for not within `days`.

    What the one wake-up of a member is set to, beside its other deadlines. A band that is entered
    and left again between two looks is passed over: the first is after a day, each
    other one twice as far away as the one before.
    """
    odds = quietly(model, one)
    low, high = (log_odds(border) for border in model.bands)
    start = end = odds(0.0)
    here = (start >= low) + (start >= high)
    early, late = 0.0, min(_FIRST_LOOK, days)
    while (((found := odds(late)) >= low) + (found >= high)) == here:
        if late >= days:
            return None
        early, late, end = late, min(2 * late, days), found
    falls = found < start
    near, far = (high, low) if falls else (low, high)
    border = near if (start >= near if falls else start < near) else far
    return _crossing(lambda at: odds(at) - border, early, late, end - border, found - border)


def _crossing(
    above: Callable[[float], float], early: float, late: float, at_early: float, at_late: float
) -> float:
    """Where a line from a border crosses to the other side: false position, never out of bounds."""
    down = at_late < 0
    while late - early > _CLOSE:
        share = at_early / (at_early - at_late) if at_early != at_late else 0.5
        width = late - early
        # A little beyond what is near an end, so that the other end comes near, too.
        middle = early + min(max(share * width, _CLOSE / 2), width - _CLOSE / 2)
        found = above(middle)
        if (found < 0) == down:
            # Halved, so that the end that stays is not believed for ever (Illinois).
            late, at_late, at_early = middle, found, at_early / 2
        else:
            early, at_early, at_late = middle, found, at_late / 2
    return late
