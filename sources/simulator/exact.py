"""Draws and functions that give the same bits on every machine.

`math.exp`, `math.log` and `**` come from the machine's C library, whose last digit differs from one
to the next, and one digit is enough to move an event. So nothing here uses them: `decimal` rounds
correctly everywhere, IEEE 754 fixes + - * / and the square root, and `random.Random` fixes the
uniform numbers. Floats are added up by `math.fsum`, for from Python 3.12 on the built-in `sum`
rounds differently. `decimal` costs microseconds, which is why events draw from tables made once.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache
from statistics import NormalDist

_CONTEXT = Context(prec=25, rounding=ROUND_HALF_EVEN)
# 1,024 steps of a quantile function: the outermost lies at 3.3 standard deviations.
TABLE_STEPS = 1_024
# Above this, exp(-mean) times a uniform number is no longer exact enough for an inversion.
_LARGEST_MEAN = 300.0


def exp(x: float) -> float:
    """The exponential function."""
    return float(_CONTEXT.exp(Decimal(x)))


def ln(x: float) -> float:
    """The natural logarithm of x > 0."""
    return float(_CONTEXT.ln(Decimal(x)))


def power(base: float, exponent: float) -> float:
    """`base` > 0 to any exponent."""
    return exp(exponent * ln(base))


def total(values: Iterable[float]) -> float:
    """The sum, rounded once."""
    return math.fsum(values)


def normal(rng: random.Random) -> float:
    """A standard normal number, as the sum of 12 uniform ones less 6 (so within ±6)."""
    return total(rng.random() for _ in range(12)) - 6.0


def lognormal(rng: random.Random, sigma: float) -> float:
    """A factor with median 1 whose logarithm has the standard deviation `sigma`."""
    return exp(sigma * normal(rng)) if sigma else 1.0


@cache
def lognormal_table(sigma: float) -> tuple[float, ...]:
    """`TABLE_STEPS` equally likely factors with mean 1 and the log standard deviation `sigma`.

    `table[rng.getrandbits(10)]` draws one. The normal quantiles are rounded to 9 digits, which
    takes the C library's last digit out of them.
    """
    quantile = NormalDist().inv_cdf
    raw = [
        exp(sigma * round(quantile((step + 0.5) / TABLE_STEPS), 9)) for step in range(TABLE_STEPS)
    ]
    mean = total(raw) / TABLE_STEPS
    return tuple(value / mean for value in raw)


def poisson(rng: random.Random, mean: float) -> int:
    """A Poisson count, by inversion; large means are sums of smaller ones."""
    count = 0
    while mean > _LARGEST_MEAN:
        count += poisson(rng, _LARGEST_MEAN)
        mean -= _LARGEST_MEAN
    if mean <= 0.0:
        return count
    left = rng.random()
    share = exp(-mean)
    number = 0
    # The bound only ends the search when rounding has used up all of the probability.
    while left > share and number < 2_000:
        left -= share
        number += 1
        share *= mean / number
    return count + number


def gamma(rng: random.Random, shape: int) -> float:
    """A gamma number with a whole shape and scale 1: the sum of `shape` exponential ones."""
    product = 1.0
    for _ in range(shape):
        product *= 1.0 - rng.random()
    return -ln(product)


def beta(rng: random.Random, a: int, b: int) -> float:
    """A beta number with whole parameters: the a-th smallest of a + b - 1 uniform numbers."""
    return sorted(rng.random() for _ in range(a + b - 1))[a - 1]


def summed(weights: list[float]) -> list[float]:
    """Running sums, for `bisect` with a uniform number times the last one."""
    so_far = 0.0
    sums = []
    for weight in weights:
        so_far += weight
        sums.append(so_far)
    return sums


@cache
def geometric_table(mean: float, largest: int) -> tuple[int, ...]:
    """`TABLE_STEPS` equally likely whole numbers 1..`largest`, geometric with about this mean."""
    stop = 1.0 / max(mean, 1.0)
    shares = [stop]
    for _ in range(largest - 1):
        shares.append(shares[-1] * (1.0 - stop))
    sums = summed(shares)
    table = []
    number = 1
    for step in range(TABLE_STEPS):
        while number < largest and (step + 0.5) / TABLE_STEPS * sums[-1] > sums[number - 1]:
            number += 1
        table.append(number)
    return tuple(table)
