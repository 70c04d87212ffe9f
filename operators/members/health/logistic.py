"""A small logistic regression with a ridge, by Newton's method: few terms, many members.

Thirty lines instead of a library: the terms are standardised, the problem is convex, and ten steps
end it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
_STEPS, _ENOUGH = 50, 1e-10


def fit(terms: Floats, came: Floats, ridge: float) -> Floats:
    """Weights, the constant first; the ridge (in members) spares the constant."""
    design = np.column_stack([np.ones(len(terms)), terms])
    weights = np.zeros(design.shape[1])
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 1e-9
    loss = _loss(design, came, weights, penalty)
    for _ in range(_STEPS):
        chances = expit(design @ weights)
        slope = design.T @ (chances - came) + penalty * weights
        curve = (design * (chances * (1 - chances))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        # Halved until it is better: far from the end a whole step may overshoot.
        for _ in range(30):
            tried = weights - step
            now = _loss(design, came, tried, penalty)
            if now <= loss:
                break
            step /= 2
        gained, weights, loss = loss - now, tried, now
        if gained < _ENOUGH * len(came):
            break
    return weights


def _loss(design: Floats, came: Floats, weights: Floats, penalty: Floats) -> float:
    scores = design @ weights
    return float((np.logaddexp(0, scores) - came * scores).sum() + (penalty * weights**2).sum() / 2)
