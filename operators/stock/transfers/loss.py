"""Expected lost sales: how many units of a period's demand a stock will not meet.

With stock s and demand D over the period this is the loss function E[max(0, D - s)]. For Poisson
demand of mean m it is  L(s) = (m - s) P(D > s) + m P(D = s), for normal demand of mean m and
standard deviation d it is  L(s) = d (f(z) - z (1 - F(z))) with z = (s - m) / d  (Zipkin,
"Foundations of Inventory Management", 2000, appendix C.2; Silver, Pyke and Thomas, "Inventory and
Production Management in Supply Chains", 4th ed., appendix II). Poisson because single units at a
shop's till come one by one; the normal takes over where the mean is so large that nobody could
tell them apart. Below 0 each unit is promised already, so each one missing is one lost for sure.
"""

from __future__ import annotations

import math
from statistics import NormalDist

# From this mean on Poisson is computed as normal: exp(-mean) would leave the range of floats only
# near 745, but the sums get long and the two differ by less than a twentieth of a unit.
NORMAL_FROM = 200.0
_STANDARD = NormalDist()


def expected_lost(mean: float, stock: int) -> float:
    """Units of a demand with this mean that a stock is expected not to meet."""
    return lost_by_stock(mean, stock, stock)[0]


def lost_by_stock(mean: float, least: int, most: int) -> list[float]:
    """The expected lost sales with `least`, `least` + 1, ... `most` units in stock.

    The list falls, and falls by less and less: each unit more saves at most what the one before
    it saved.
    """
    short = [mean - stock for stock in range(least, min(0, most + 1))]
    begin = max(0, least)
    if begin > most:
        return short
    if mean >= NORMAL_FROM:
        return short + [_normal(mean, stock) for stock in range(begin, most + 1)]
    return short + _poisson(mean, begin, most)


def _normal(mean: float, stock: int) -> float:
    deviation = math.sqrt(mean)
    z = (stock - mean) / deviation
    return max(0.0, deviation * (_STANDARD.pdf(z) - z * _STANDARD.cdf(-z)))


def _poisson(mean: float, begin: int, most: int) -> list[float]:
    """Values of the loss function from `begin` on: one unit more saves P(D > s)."""
    values = []
    chance = math.exp(-mean)
    above = 1.0 - chance
    lost = mean
    for stock in range(most + 1):
        if stock >= begin:
            values.append(lost)
        # Past this the sum of chances is 1 up to rounding, and nothing can be lost any more.
        if above <= 1e-12:
            values.extend([0.0] * (most + 1 - max(begin, stock + 1)))
            break
        lost = max(0.0, lost - above)
        chance *= mean / (stock + 1)
        above = max(0.0, above - chance)
    return values
