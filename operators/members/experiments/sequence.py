"""Differences between arms with intervals that hold however often one looks.

Asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform
central limit theory and asymptotic confidence sequences" (arXiv 2103.06476, equation 9), as used by
GrowthBook: with n members seen in both arms, s2 = n (v_a/n_a + v_b/n_b),

    h = sqrt(s2) sqrt(2 (n rho^2 + 1) / (n rho)^2 ln(sqrt(n rho^2 + 1) / alpha))
    rho = sqrt((-2 ln alpha + ln(1 - 2 ln alpha)) / n*)

where n* is the number of members at which the interval is to be narrowest for its guarantee.
Variance reduction is CUPED (Deng, Xu, Kohavi, Walker 2013): y - theta (x - mean x), with x a figure
from before the exposure and theta = cov(y, x) / var(x) within arms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from operators.members.experiments.moments import Moments

PLANNED = 5_000  # members in both arms, where nothing else was planned
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """An arm's mean less the control's, per member, with its interval."""

    value: float
    low: float
    high: float
    error: float  # standard error
    reduced: float = 0.0  # share of the variance that CUPED took away

    @property
    def clear(self) -> bool:
        """Whether nothing is outside of the interval."""
        return self.low > 0 or self.high < 0


def tuning(alpha: float, planned: float) -> float:
    """The rho that makes the interval narrowest at `planned` members."""
    spent = -2 * math.log(alpha)
    return math.sqrt((spent + math.log(spent + 1)) / planned)


def half_widths(n: Floats, variance: Floats, alpha: float, planned: float) -> Floats:
    """Half the interval after n members of both arms; `variance` is s² of the module's head."""
    rho = tuning(alpha, planned)
    grown = n * rho * rho + 1
    return np.sqrt(variance * 2 * grown * np.log(np.sqrt(grown) / alpha)) / (n * rho)


def half_width(n: float, variance: float, alpha: float = 0.05, planned: float = PLANNED) -> float:
    """`half_widths` for one look."""
    return float(half_widths(np.array([n]), np.array([variance]), alpha, planned)[0])


def difference(
    arm: Moments,
    control: Moments,
    *,
    alpha: float = 0.05,
    planned: float = PLANNED,
    theta: float | None = None,
    once: bool = False,
) -> Difference:
    """The arm against the control.

    `theta` reduces the variance (see `cuped`). `once` gives the ordinary, narrower interval, which
    is right only if the number of members was fixed before and nobody looked in between.
    """
    if arm.n < 2 or control.n < 2:
        return Difference(arm.mean - control.mean, -math.inf, math.inf, math.inf)
    plain = arm.variance / arm.n + control.variance / control.n
    value, squared, reduced = arm.mean - control.mean, plain, 0.0
    if theta:
        value -= theta * (arm.covariate_mean - control.covariate_mean)
        squared = _adjusted(arm, theta) / arm.n + _adjusted(control, theta) / control.n
        reduced = 1 - squared / plain if plain else 0.0
    n = arm.n + control.n
    if once:
        half = NormalDist().inv_cdf(1 - alpha / 2) * math.sqrt(squared)
    else:
        half = half_width(n, n * squared, alpha, planned)
    return Difference(value, value - half, value + half, math.sqrt(squared), reduced)


def cuped(arms: list[Moments]) -> float:
    """Theta over all arms: how much of a member's figure before comes again in the outcome."""
    # Within arms, so that a treatment's own effect does not lean on it.
    spread = sum((one.n - 1) * one.covariate_variance for one in arms if one.n > 1)
    both = sum((one.n - 1) * one.covariance for one in arms if one.n > 1)
    return both / spread if spread else 0.0


def _adjusted(one: Moments, theta: float) -> float:
    """The variance of y - theta x; rounding may take it below nothing where x explains all of y."""
    found = one.variance - 2 * theta * one.covariance + theta * theta * one.covariate_variance
    return max(found, 0.0)


def members_needed(control: float, arm: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Members in each of two arms to tell two rates apart, at one look (two-sided).

    By Cohen's h, the difference of the arc sines of the rates' roots. Always-valid intervals need
    more for the same power, see docs/experiments.md.
    """
    if not (0 < control < 1 and 0 < arm < 1) or control == arm:
        msg = f"rates {control:g} and {arm:g}: they must differ and lie between 0 and 1"
        raise ValueError(msg)
    normal = NormalDist()
    effect = 2 * (math.asin(math.sqrt(arm)) - math.asin(math.sqrt(control)))
    wanted = normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)
    return math.ceil(2 * (wanted / effect) ** 2)
