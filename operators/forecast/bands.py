"""Bands that hold what they promise: negative binomial tails, set right by a backtest.

Each count is taken as negative binomial around its forecast: variance = mean + spread x mean^2.
Which tail then leaves out 20% or 5% is measured, not believed: split conformal prediction (Vovk,
Gammerman and Shafer 2005; Lei et al. 2018, JASA 113) with the tail probability of what came as its
score, for quarters, hours and days each by themselves: bands of days are no sums of bands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVELS = (0.80, 0.95)
LEAST_SPREAD = 1e-6
# A store's own spread counts like so many windows of everybody's.
_BORROWED = 30.0
# Pairs of forecast and outcome that a tail is measured on, at most.
_MEASURED = 200_000
# Fewer say nothing about tails; the negative binomial is believed then.
_LEAST_MEASURED = 100
# Small counts make coarse bands: their tails are measured apart from those of large ones.
_EDGES = (0.0, 3.0, 10.0, np.inf)


@dataclass(frozen=True, slots=True)
class Tails:
    """How wide bands are: spread by store, and the tail of each level by size of the mean."""

    spread: Floats
    tails: dict[float, Floats]


def measure(actual: Floats, mean: Floats, there: NDArray[np.bool_]) -> Tails:
    """Learn from a backtest: arrays are (stores, windows), `there` tells which count."""
    from scipy.stats import nbinom  # noqa: PLC0415 (slow to import)

    use = there & (mean > 0)
    spread = _spread(actual, mean, use)
    y, m = actual[use], mean[use]
    v = np.broadcast_to(spread[:, None], mean.shape)[use]
    if len(y) > _MEASURED:
        some = np.linspace(0, len(y) - 1, _MEASURED).astype(int)
        y, m, v = y[some], m[some], v[some]
    size, chance = _terms(m, v)
    # Inside the band with tails a: F(y) >= a and 1 - F(y - 1) >= a.
    score = np.minimum(nbinom.cdf(y, size, chance), nbinom.sf(y - 1, size, chance))
    bucket = np.digitize(m, _EDGES[1:-1])
    tails = {}
    for level in LEVELS:
        found = np.full(len(_EDGES) - 1, (1 - level) / 2)
        for at in range(len(found)):
            mine = score[bucket == at]
            if len(mine) >= _LEAST_MEASURED:
                found[at] = np.clip(_quantile(mine, 1 - level), 1e-5, 0.49)
        tails[level] = found
    return Tails(spread, tails)


def _quantile(scores: Floats, share: float) -> float:
    """The score that `share` of them are below, rounded to the safe side (split conformal)."""
    at = int(np.floor(share * (len(scores) + 1))) - 1
    return float(np.sort(scores)[max(at, 0)])


def _spread(actual: Floats, mean: Floats, use: NDArray[np.bool_]) -> Floats:
    """How much more than Poisson each store varies: everybody's, moved by its own."""
    m = np.where(use, mean, 0.0)
    off = np.where(use, (actual - mean) ** 2, 0.0)
    whole = (off.sum() - m.sum()) / max(float((m**2).sum()), 1e-9)
    whole = max(whole, LEAST_SPREAD)
    ratio = np.where(use, off / np.maximum(m + whole * m**2, 1e-9), 0.0)
    own = (_BORROWED + ratio.sum(1)) / (_BORROWED + use.sum(1))
    variance = own * (m + whole * m**2).sum(1)
    spread = (variance - m.sum(1)) / np.maximum((m**2).sum(1), 1e-9)
    return np.asarray(np.where(use.any(1), np.maximum(spread, LEAST_SPREAD), whole))


def _terms(mean: Floats, spread: Floats) -> tuple[Floats, Floats]:
    size = 1 / np.maximum(spread, LEAST_SPREAD)
    return size, size / (size + mean)


def band(mean: Floats, spread: Floats, tails: Tails, level: float) -> tuple[Floats, Floats]:
    """Lowest and highest count inside the band of each mean; both 0 where the mean is 0."""
    from scipy.stats import nbinom  # noqa: PLC0415 (slow to import)

    open_ = mean > 0
    safe = np.where(open_, mean, 1.0)
    size, chance = _terms(safe, np.broadcast_to(spread, mean.shape))
    tail = tails.tails[level][np.digitize(safe, _EDGES[1:-1])]
    low = nbinom.ppf(tail, size, chance)
    high = nbinom.isf(tail, size, chance)
    return np.where(open_, low, 0.0), np.where(open_, high, 0.0)
