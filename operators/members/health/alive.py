"""Is a member still a customer? The (modified) BG/NBD model of purchases and leaving.

A member buys at a rate of its own (Gamma r, alpha over members) and after a purchase leaves for
good with a chance of its own (Beta a, b). In the BG/NBD (Fader, Hardie, Lee 2005, Marketing Science
24) nobody leaves after the first purchase, so that who bought once is alive for ever; in the
modified one (Batislam, Denizel, Filiztekin 2007) the coin is tossed after the first, too. Both in
closed form, from three figures: x purchases after the first, the time tx from the first to the
last, and the time T since the first. Any unit of time, the same in all; purchases of one day are
one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

Floats = NDArray[np.float64]
# Keeps logarithms of parameters within what figures can tell apart; only a fit that has run away
# (a tenth of a percent of members ever leaves, say) comes near.
_BOUNDS = (-7.0, 9.0)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Gamma(r, alpha) of rates, Beta(a, b) of chances to leave; alpha in the unit of time."""

    r: float
    alpha: float
    a: float
    b: float

    def in_unit(self, times: float) -> Parameters:
        """The same for a unit of time of which `times` make the present one."""
        return Parameters(self.r, self.alpha * times, self.a, self.b)


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


def alive(given: Parameters, x: float, tx: float, age: float) -> float:
    """The chance that a member is still a customer (modified model)."""
    odds = given.a / (given.b + x)
    odds *= math.exp((given.r + x) * math.log((given.alpha + age) / (given.alpha + tx)))
    return 1 / (1 + odds)


def alive_until(given: Parameters, x: float, tx: float, threshold: float) -> float:
    """The time since the first purchase at which `alive` falls to the threshold, without another.

    May lie before `tx`: then it is below from the last purchase on.
    """
    ratio = (1 / threshold - 1) * (given.b + x) / given.a
    return (given.alpha + tx) * math.exp(math.log(ratio) / (given.r + x)) - given.alpha


def alive_many(given: Parameters, x: Floats, tx: Floats, age: Floats) -> Floats:
    """`alive` of many members."""
    log_odds = np.log(given.a / (given.b + x))
    log_odds += (given.r + x) * np.log((given.alpha + age) / (given.alpha + tx))
    found: Floats = 1 / (1 + np.exp(np.minimum(log_odds, 700.0)))
    return found


def buys_within(given: Parameters, x: float, tx: float, age: float, span: float) -> float:
    """The chance of a purchase within the next `span` (modified model)."""
    shrunk = math.log((given.alpha + age) / (given.alpha + age + span))
    return alive(given, x, tx, age) * -math.expm1((given.r + x) * shrunk)


def buys_within_many(given: Parameters, x: Floats, tx: Floats, age: Floats, span: float) -> Floats:
    """`buys_within` of many members."""
    none = ((given.alpha + age) / (given.alpha + age + span)) ** (given.r + x)
    found: Floats = alive_many(given, x, tx, age) * (1 - none)
    return found
