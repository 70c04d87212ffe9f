"""The rest of a day, from what has come of it: a strong start carries on, by as much as it did.

The day has a factor of its own, gamma with mean 1 and variance `carry`; counts given the factor are
Poisson. Having seen `came` where `expected` were forecast, the factor is gamma with mean
(k + came) / (k + expected), k = 1 / carry (conjugate prior; Gelman et al., Bayesian Data Analysis,
ch. 2). `carry` is the covariance of the two halves of days in the backtest: what the noise of one
half has in common with the other, and nothing else.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Stores' own covariances are weak evidence: everybody's counts like so many days of theirs.
_BORROWED_DAYS = 30.0
# Below it nothing carries on.
_LEAST_CARRY = 1e-6


class Update(NamedTuple):
    """What became of the rest of a day. `spread` is what is unsure of the factor."""

    factor: float
    spread: float
    came: float
    expected: float
    carries: float


def carry(actual: Floats, mean: Floats, exposure: Floats) -> Floats:
    """How much of a day's luck its halves share, by store; arrays are (stores, days, 96).

    The halves are those of the forecast: as many people are expected in each.
    """
    m = np.where(exposure > 0, mean, 0.0)
    off = np.where(exposure > 0, actual - mean, 0.0)
    total = m.sum(axis=-1, keepdims=True)
    first = np.cumsum(m, axis=-1) <= total / 2
    early, late = (off * first).sum(-1), (off * ~first).sum(-1)
    both = (m * first).sum(-1) * (m * ~first).sum(-1)
    whole = max(float((early * late).sum()) / max(float(both.sum()), 1e-9), 0.0)
    days = (both > 0).sum(axis=1)
    own = np.maximum((early * late).sum(1) / np.maximum(both.sum(1), 1e-9), 0.0)
    mixed = (_BORROWED_DAYS * whole + days * own) / (_BORROWED_DAYS + days)
    return np.asarray(np.where(whole > 0, mixed, 0.0))


def update(came: float, expected: float, shared: float) -> Update:
    """The factor for the rest of a day of which `came` people of `expected` have come."""
    if shared <= _LEAST_CARRY or expected <= 0:
        return Update(1.0, max(shared, 0.0), came, max(expected, 0.0), 0.0)
    k = 1 / shared
    carries = expected / (k + expected)
    return Update((k + came) / (k + expected), 1 / (k + came), came, expected, carries)


def reason(one: Update, until: str, what: str = "people") -> str:
    """The update in words, for the person whose roster changes."""
    if one.expected <= 0:
        return f"nothing was expected until {until}: the forecast stands"
    off = one.came / one.expected - 1
    seen = (
        f"until {until} {one.came:.0f} {what} came, {one.expected:.0f} were forecast ({off:+.0%})"
    )
    if one.carries == 0:
        return f"{seen}; in the backtest no such start carried on: the forecast stands"
    return (
        f"{seen}; {one.carries:.0%} of such a difference carries on: "
        f"the rest of the day x {one.factor:.2f}"
    )
