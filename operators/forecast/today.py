"""The day that is running: what has come of it changes what is left of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from operators.forecast import bands, intraday
from operators.forecast.bands import LEVELS
from operators.forecast.intraday import Update
from operators.forecast.plan import DAY, HOUR, QUARTER, Forecast, in_span

Floats = NDArray[np.float64]


class Today(NamedTuple):
    """A store's running day: means and bands with what has come, and the update behind them.

    Quarters that are over keep their forecast, so that one can be held against the other; hours
    and the day hold what has come and what is still expected.
    """

    mean: Floats
    totals: dict[str, Floats]
    bands: dict[tuple[str, float], tuple[Floats, Floats]]
    update: Update


def running(made: Forecast, store: int, counts: Floats, seen: Floats, now: int) -> Today:
    """The first forecast day of a store, of which the slots before `now` are over.

    `counts` and `seen` (exposure of what was observed well) are (96). What is over but was not
    seen, by a dead sensor say, counts as it was forecast and teaches nothing.
    """
    first = made.mean[store, 0]
    over = np.arange(len(first)) < now
    known = over & (seen > 0)
    found = intraday.update(
        float(counts[known].sum()), float(first[known].sum()), float(made.carry[store])
    )
    rest = np.where(over, 0.0, first * found.factor)
    came = np.where(known, counts, 0.0) + np.where(over & ~known, first, 0.0)
    totals: dict[str, Floats] = {}
    ranges: dict[tuple[str, float], tuple[Floats, Floats]] = {}
    for span in (QUARTER, HOUR, DAY):
        wanted, there = in_span(rest, span), in_span(came, span)
        tails = made.tails[span][0]
        spread = float(tails.spread[store])
        if span == DAY:
            # What the halves share was unsure in the morning; of it, this much still is.
            spread = max(spread - float(made.carry[store]), 0.0) + found.spread
        totals[span] = there + wanted
        for level in LEVELS:
            low, high = bands.band(wanted, np.asarray(spread), tails, level)
            before = (np.round(there) + low, np.round(there) + high)
            ranges[span, level] = before
    for level in LEVELS:
        low, high = ranges[QUARTER, level]
        kept_low, kept_high = made.bands[QUARTER, level]
        ranges[QUARTER, level] = (
            np.where(over, kept_low[store, 0], low),
            np.where(over, kept_high[store, 0], high),
        )
    return Today(np.where(over, first, rest), totals, ranges, found)
