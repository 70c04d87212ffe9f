"""Poisson regression of day totals, each store's own, shrunk towards what stores share.

log(mean) = level + columns x coefficients. Counts of days vary more than Poisson: the variance is
mean + spread x mean^2 (negative binomial with known spread; McCullagh and Nelder 1989, ch. 6).
A store's coefficients have a normal prior around those of its group: mean and variance come from
all stores together (empirical Bayes; Efron and Morris 1975, JASA 70), by moments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Newton's steps; it converges quadratically, so these are plenty.
_STEPS = 8
_LONGEST_STEP = 1.5
_CLOSE = 1e-5
# Knowledge about a coefficient before anything was seen: within some 30% either way.
WEAK = 1 / 0.3**2
# The level of a store is its own affair.
FREE = 1e-4
# No two stores are quite the same, and no coefficient of one is without bounds.
LEAST_VARIANCE, MOST_VARIANCE = 1e-5, 0.25
# Stores that the prior is learned from, at most: more would not change it.
LEARNED_FROM = 240
# Expectation-maximization starts here, near where it usually ends.
START_VARIANCE = 0.01
START_DRIFT = 0.015**2
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of a store's coefficients; the level comes first. `spread` as above."""

    mean: Floats
    precision: Floats
    spread: float


def fit(
    y: Floats, columns: Floats, weight: Floats, mean: Floats, precision: Floats, spread: float
) -> tuple[Floats, Floats]:
    """Level and coefficients of each store, and their covariances; Newton's method.

    `y` and `weight` are (stores, days), the weight is the share of a day that was observed and 0
    for days that teach nothing. `mean` and `precision` are a prior's, (1 + columns).
    """
    stores, days = y.shape
    design = np.concatenate([np.ones((stores, days, 1)), columns], axis=2)
    turned = np.ascontiguousarray(design.swapaxes(1, 2))
    found = np.broadcast_to(mean, (stores, len(mean))).copy()
    # A store's level may be far from the prior's: start where its total is right.
    said = weight * np.exp(np.clip((design @ mean), -30, 30))
    known = weight.sum(1) > 0
    ratio = np.maximum((weight * y).sum(1), 0.5) / np.maximum(said.sum(1), 1e-9)
    found[:, 0] += np.where(known, np.log(ratio), 0.0)
    prior = np.diag(precision)
    curve = np.broadcast_to(prior, (stores, *prior.shape))
    for _ in range(_STEPS):
        level = np.exp(np.clip((design @ found[..., None])[..., 0], -30, 30))
        scale = weight / (1 + spread * weight * level)
        slope = (turned @ (scale * (y - level))[..., None])[..., 0] - precision * (found - mean)
        curve = (turned * (scale * level)[:, None]) @ design + prior
        step = np.linalg.solve(curve, slope[..., None])[..., 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        found += step * np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-12))
        if float(longest.max()) < _CLOSE:
            break
    return found, np.asarray(np.linalg.inv(curve), np.float64)


def fit_one(y: Floats, columns: Floats, weight: Floats, prior: Prior) -> Floats:
    """Level and coefficients of one store: `y` and `weight` are (days), columns (days, columns)."""
    found, _ = fit(y[None], columns[None], weight[None], prior.mean, prior.precision, prior.spread)
    return np.asarray(found[0])


def weak_prior(columns: int, spread: float = 0.002) -> Prior:
    """What is believed before anything was seen: no effect of any column, any level."""
    precision = np.full(columns + 1, WEAK)
    precision[0] = FREE
    return Prior(np.zeros(columns + 1), precision, spread)


def fit_shared(y: Floats, columns: Floats, weight: Floats, spread: float) -> Floats:
    """The coefficients that stores share, each with a level of its own; (1 + columns).

    The first entry is the mean of the levels. `y` and `weight` are (stores, days).
    """
    width = columns.shape[-1]
    shared = np.zeros(width)
    ridge = np.full(width, WEAK)
    level = np.log(np.maximum((weight * y).sum(1), 0.5) / np.maximum(weight.sum(1), 1e-9))
    for _ in range(_STEPS):
        mean = np.exp(np.clip(level[:, None] + columns @ shared, -30, 30))
        scale = weight / (1 + spread * weight * mean)
        work, rest = scale * mean, scale * (y - mean)
        # Levels are solved for by themselves (Schur complement): there is one a store.
        of_level = work.sum(1) + FREE
        across = np.einsum("sd,sdp->sp", work, columns)
        slope = np.einsum("sd,sdp->p", rest, columns) - ridge * shared
        slope = slope - across.T @ (rest.sum(1) / of_level)
        weighted = (columns * work[..., None]).reshape(-1, width)
        curve = weighted.T @ columns.reshape(-1, width) + np.diag(ridge)
        curve = curve - (across / of_level[:, None]).T @ across
        step = np.linalg.solve(curve, slope)
        step *= min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-12))
        level = level + np.clip((rest.sum(1) - across @ step) / of_level, -2, 2)
        shared = shared + step
    seen = weight.sum(1) > 0
    return np.concatenate([[level[seen].mean() if seen.any() else 0.0], shared])


def spread_of(y: Floats, mean: Floats, weight: Floats, parameters: float) -> float:
    """How much more than Poisson the days vary, by moments; `parameters` were fitted a store."""
    there = weight > 0
    days = there.sum()
    freedom = max(days - parameters * len(y), 0.2 * days, 1.0) / max(days, 1)
    observed, expected = (weight * y)[there], (weight * mean)[there]
    extra = np.sum((observed - expected) ** 2) / freedom - np.sum(expected)
    return float(np.clip(extra / max(np.sum(expected**2), 1e-9), 1e-5, 1.0))


def learn(y: Floats, columns: Floats, weight: Floats, tied: int = 0) -> Prior:
    """The prior of stores like these: what they share, and how far they are apart in it.

    The last `tied` columns are the weeks of a wandering level: none of them is shared, and they
    have one variance.
    """
    lively = np.flatnonzero((weight > 0).sum(1) >= min(14, y.shape[1]))
    if len(lively) > LEARNED_FROM:
        lively = lively[np.linspace(0, len(lively) - 1, LEARNED_FROM).astype(int)]
    if not len(lively):
        return weak_prior(columns.shape[-1])
    y, columns, weight = y[lively], columns[lively], weight[lively]
    spread = 0.002
    width = columns.shape[-1]
    shared = np.zeros(width + 1)
    plain = columns[..., : width - tied]
    shared[: plain.shape[-1] + 1] = fit_shared(y, plain, weight, spread)
    variance = np.full(width, START_VARIANCE)
    variance[width - tied :] = START_DRIFT
    for _ in range(_ROUNDS):
        before = variance
        own, covariance = fit(
            y, columns, weight, shared, np.concatenate([[FREE], 1 / variance]), spread
        )
        unsure = np.diagonal(covariance, axis1=1, axis2=2)[:, 1:]
        # Expectation-maximization (Dempster, Laird and Rubin 1977) for mean and variance.
        shared = own.mean(axis=0)
        shared[width - tied + 1 :] = 0
        variance = np.mean((own[:, 1:] - shared[1:]) ** 2 + unsure, axis=0)
        if tied:
            variance[-tied:] = variance[-tied:].mean()
        variance = np.clip(variance, LEAST_VARIANCE, MOST_VARIANCE)
        mean = np.exp(np.clip(own[:, :1] + np.einsum("sdp,sp->sd", columns, own[:, 1:]), -30, 30))
        # How many coefficients the data decided, and not the prior.
        spent = 1 + float(np.clip(1 - unsure / before, 0, 1).sum(axis=1).mean())
        spread = spread_of(y, mean, weight, spent)
    return Prior(shared, np.concatenate([[FREE], 1 / variance]), spread)
