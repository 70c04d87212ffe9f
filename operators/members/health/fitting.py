"""The parameters of the purchase model from many members' figures, by the greatest likelihood."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betaln, gammaln

from operators.members.health.alive import Floats, Parameters

# Keeps logarithms of parameters within what figures can tell apart; only a fit that has run away
# (a tenth of a percent of members ever leaves, say) comes near.
_BOUNDS = (-7.0, 9.0)


class FitError(ValueError):
    """Too few purchases to tell parameters from; the text says what there was."""


def log_likelihood(
    given: Parameters, x: Floats, tx: Floats, age: Floats, *, modified: bool = True
) -> Floats:
    """Of each member's figures."""
    r, alpha, a, b = given.r, given.alpha, given.a, given.b
    purchases = gammaln(r + x) - gammaln(r) + r * math.log(alpha)
    tossed = x + 1 if modified else x
    stays = betaln(a, b + tossed) - (r + x) * np.log(alpha + age)
    # Left after the last one: in the plain model nobody does after the first purchase.
    leaves = betaln(a + 1, b + np.maximum(tossed - 1, 0)) - (r + x) * np.log(alpha + tx)
    if not modified:
        leaves = np.where(x > 0, leaves, -np.inf)
    found: Floats = purchases - betaln(a, b) + np.logaddexp(stays, leaves)
    return found


def fit(x: Floats, tx: Floats, age: Floats, *, modified: bool = True) -> Parameters:
    """The parameters of the greatest likelihood, in the unit of `tx` and `age`.

    Raises:
        FitError: fewer than ten members bought again.
    """
    again = int((x > 0).sum())
    if again < 10:
        msg = (
            f"{again} of {len(x)} members bought on a second day: the model needs ten or more, "
            "from a longer time or more members"
        )
        raise FitError(msg)
    # Members with the same figures are counted, not gone through one by one.
    rows, counts = np.unique(np.column_stack([x, tx, age]), axis=0, return_counts=True)
    unit = float(age.mean()) or 1.0
    xs, txs, ages = rows[:, 0], rows[:, 1] / unit, rows[:, 2] / unit

    from scipy.optimize import minimize  # noqa: PLC0415 (slow to import)

    def loss(logs: Floats) -> float:
        r, alpha, a, b = np.exp(logs)
        found = log_likelihood(Parameters(r, alpha, a, b), xs, txs, ages, modified=modified)
        return -float((counts * found).sum()) / len(x)

    # From two sides: rates that differ much or little between members.
    starts = (np.log([0.5, 0.3, 0.8, 2.5]), np.log([2.0, 2.0, 1.0, 5.0]))
    tries = [
        minimize(loss, start, method="L-BFGS-B", bounds=[_BOUNDS] * 4, options={"ftol": 1e-13})
        for start in starts
    ]
    best = np.exp(min(tries, key=lambda one: one.fun).x)
    r, alpha, a, b = (float(one) for one in best)
    return Parameters(r, alpha * unit, a, b)
