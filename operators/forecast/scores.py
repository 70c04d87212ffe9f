"""How good a forecast was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def accuracy(actual: Floats, forecast: Floats) -> float:
    """1 - WAPE: the share of what came that was put where it came; NaN where nothing came."""
    total = float(np.sum(actual))
    return 1 - float(np.sum(np.abs(actual - forecast))) / total if total > 0 else float("nan")


def noise_floor(mean: Floats) -> float:
    """The accuracy of the true means of Poisson counts: nobody's is better in the long run.

    E|Y - m| of a Poisson count is 2 e^-m m^(k+1) / k! with k = floor(m) (Crow 1958); for large m
    that is m x sqrt(2 / (pi m)).
    """
    from scipy.special import gammaln  # noqa: PLC0415

    there = mean[mean > 0]
    if not there.size:
        return float("nan")
    k = np.floor(there)
    off = 2 * np.exp(-there + (k + 1) * np.log(there) - gammaln(k + 1))
    return 1 - float(np.sum(off) / np.sum(there))


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """The share that came inside its band."""
    return float(np.mean((actual >= low) & (actual <= high))) if actual.size else float("nan")
