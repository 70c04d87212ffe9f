"""The regression, against a general optimizer, and what it must never depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from operators.forecast.pooled import Prior, fit, fit_one, learn, weak_prior

Floats = NDArray[np.float64]
DAYS, COLUMNS = 40, 3


def drawn(seed: int, stores: int = 1) -> tuple[Floats, Floats, Floats]:
    """Counts, columns and weights of some stores."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(0, 0.5, (stores, DAYS, COLUMNS))
    level = rng.uniform(2, 7, (stores, 1))
    mean = np.exp(level + columns @ np.array([0.3, -0.2, 0.1]))
    weight = rng.choice([1.0, 1.0, 1.0, 0.5, 0.0], (stores, DAYS))
    return rng.poisson(mean).astype(float), columns, weight


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_mode_of_the_posterior(seed: int) -> None:
    """With no spread the estimate maximizes the Poisson likelihood times the prior."""
    from scipy.optimize import minimize

    y, columns, weight = (one[0] for one in drawn(seed))
    prior = Prior(np.array([4.0, 0.1, 0.0, 0.2]), np.array([0.5, 20.0, 30.0, 40.0]), 0.0)
    design = np.concatenate([np.ones((DAYS, 1)), columns], axis=1)

    def loss(b: Floats) -> float:
        line = design @ b
        data = np.sum(weight * (np.exp(line) - y * line))
        return float(data + 0.5 * np.sum(prior.precision * (b - prior.mean) ** 2))

    start = np.array([np.log(y.mean() + 1), 0, 0, 0])
    best = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 8000, "xatol": 1e-8})
    found = fit_one(y, columns, weight, prior)
    assert found == pytest.approx(best.x, abs=2e-4)


def test_many_stores_are_fitted_as_each_alone() -> None:
    y, columns, weight = drawn(5, stores=6)
    prior = weak_prior(COLUMNS)
    together, _ = fit(y, columns, weight, prior.mean, prior.precision, prior.spread)
    for store in range(6):
        alone = fit_one(y[store], columns[store], weight[store], prior)
        assert together[store] == pytest.approx(alone, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), garbage=st.floats(0, 1e7))
def test_days_without_weight_say_nothing(seed: int, garbage: float) -> None:
    y, columns, weight = (one[0] for one in drawn(seed))
    spoiled = np.where(weight > 0, y, garbage)
    prior = weak_prior(COLUMNS)
    assert np.array_equal(
        fit_one(y, columns, weight, prior), fit_one(spoiled, columns, weight, prior)
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_store_without_a_day_is_its_prior(seed: int) -> None:
    y, columns, _ = (one[0] for one in drawn(seed))
    prior = Prior(np.array([4.0, 0.1, -0.3, 0.2]), np.array([1.0, 20.0, 30.0, 40.0]), 0.01)
    assert fit_one(y, columns, np.zeros(DAYS), prior) == pytest.approx(prior.mean)


def test_a_firm_prior_wins_and_a_loose_one_gives_way() -> None:
    y, columns, weight = (one[0] for one in drawn(2))
    mean = np.array([5.0, 1.0, 1.0, 1.0])
    firm = fit_one(y, columns, weight, Prior(mean, np.array([1e-4, 1e9, 1e9, 1e9]), 0.0))
    loose = fit_one(y, columns, weight, Prior(mean, np.full(4, 1e-6), 0.0))
    assert firm[1:] == pytest.approx(mean[1:], abs=1e-3)
    assert loose[1:] == pytest.approx([0.3, -0.2, 0.1], abs=0.12)


def test_what_stores_share_and_how_far_they_are_apart_is_learned() -> None:
    rng = np.random.default_rng(1)
    stores, days = 80, 60
    columns = rng.normal(0, 0.5, (stores, days, 2))
    own = np.stack([rng.normal(0.4, 0.15, stores), rng.normal(-0.2, 0.003, stores)], axis=1)
    mean = np.exp(rng.uniform(5.5, 7, (stores, 1)) + np.einsum("sdp,sp->sd", columns, own))
    luck = rng.gamma(1 / 0.004, 0.004, mean.shape)
    prior = learn(rng.poisson(mean * luck).astype(float), columns, np.ones((stores, days)))
    assert prior.mean[1:] == pytest.approx([0.4, -0.2], abs=0.05)
    apart = prior.precision[1:] ** -0.5
    assert apart[0] == pytest.approx(0.15, abs=0.04)
    assert apart[1] < 0.03
    assert prior.spread == pytest.approx(0.004, rel=0.3)
