"""Sums of an outcome and of what was known before, from which every figure of an arm comes.

Whole numbers (conversions, minor units of money) stay exact, so that taking a refund out leaves
what never having put the purchase in would have left, and parts of an arm can be counted apart
and added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Moments:
    """Sums over the members of an arm: outcome y, covariate x."""

    n: int = 0
    y: float = 0
    yy: float = 0
    x: float = 0
    xx: float = 0
    xy: float = 0

    def add(self, y: float, x: float = 0, times: int = 1) -> None:
        """Count so many members of the same figures in."""
        self.n += times
        self.y += times * y
        self.yy += times * y * y
        self.x += times * x
        self.xx += times * x * x
        self.xy += times * x * y

    def take_out(self, y: float, x: float = 0) -> None:
        """Undo an `add` of the same figures."""
        self.add(y, x, -1)

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.n + other.n,
            self.y + other.y,
            self.yy + other.yy,
            self.x + other.x,
            self.xx + other.xx,
            self.xy + other.xy,
        )

    @property
    def mean(self) -> float:
        """Of the outcome; 0 for nobody."""
        return self.y / self.n if self.n else 0.0

    @property
    def covariate_mean(self) -> float:
        """Of what was known before."""
        return self.x / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """Of the outcome, unbiased."""
        return _spread(self.n, self.y, self.y, self.yy)

    @property
    def covariate_variance(self) -> float:
        """Of what was known before, unbiased."""
        return _spread(self.n, self.x, self.x, self.xx)

    @property
    def covariance(self) -> float:
        """Of both, unbiased."""
        return _spread(self.n, self.x, self.y, self.xy)


def _spread(n: int, first: float, second: float, product: float) -> float:
    # The products are subtracted before the division: exact for whole numbers.
    return (n * product - first * second) / (n * (n - 1)) if n > 1 else 0.0


def moments(ys: Iterable[float], xs: Iterable[float] | None = None) -> Moments:
    """The sums of lists of figures."""
    found = Moments()
    if xs is None:
        for y in ys:
            found.add(y)
    else:
        for y, x in zip(ys, xs, strict=True):
            found.add(y, x)
    return found
