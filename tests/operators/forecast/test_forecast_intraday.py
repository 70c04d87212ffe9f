"""The running day, against Bayes' rule worked out by numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.forecast.intraday import carry, reason, update


@pytest.mark.parametrize(("came", "expected", "shared"), [(140, 100, 0.02), (3, 12, 0.3)])
def test_the_factor_is_the_posterior_mean(came: int, expected: float, shared: float) -> None:
    from scipy.integrate import quad
    from scipy.stats import gamma, poisson

    def density(factor: float) -> float:
        prior = gamma.pdf(factor, 1 / shared, scale=shared)
        return float(prior * poisson.pmf(came, expected * factor))

    whole, _ = quad(density, 0, 8, limit=200)
    mean, _ = quad(lambda factor: factor * density(factor) / whole, 0, 8, limit=200)
    square, _ = quad(lambda factor: factor**2 * density(factor) / whole, 0, 8, limit=200)
    found = update(came, expected, shared)
    assert found.factor == pytest.approx(mean, rel=1e-6)
    assert found.spread == pytest.approx((square - mean**2) / mean**2, rel=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    came=st.floats(0, 5_000),
    expected=st.floats(0.1, 5_000),
    shared=st.floats(1e-5, 1),
)
def test_it_lies_between_the_forecast_and_what_came(
    came: float, expected: float, shared: float
) -> None:
    found = update(came, expected, shared)
    low, high = sorted((1.0, came / expected))
    assert low - 1e-9 <= found.factor <= high + 1e-9
    assert 0 <= found.carries <= 1


def test_nothing_is_concluded_from_nothing() -> None:
    assert update(0, 0, 0.1).factor == 1
    assert update(50, 20, 0.0).factor == 1


@pytest.mark.parametrize("shared", [0.0, 0.01, 0.05])
def test_what_halves_of_days_share_is_found(shared: float) -> None:
    rng = np.random.default_rng(11)
    mean = np.full((30, 60, 96), 6.0)
    day = rng.gamma(1 / shared, shared, (30, 60, 1)) if shared else np.ones((30, 60, 1))
    # Noise of its own in each quarter must not be taken for the day's.
    own = rng.gamma(10, 0.1, mean.shape)
    counts = rng.poisson(mean * day * own).astype(float)
    found = carry(counts, mean, np.ones_like(mean))
    assert found.mean() == pytest.approx(shared, rel=0.15, abs=0.0006)


def test_dead_sensors_do_not_count_as_a_weak_start() -> None:
    rng = np.random.default_rng(12)
    mean = np.full((10, 40, 96), 6.0)
    counts = rng.poisson(mean).astype(float)
    exposure = np.ones_like(mean)
    exposure[:, ::2, 20:60] = 0
    clean = carry(counts, mean, exposure)
    counts[:, ::2, 20:60] = 0
    assert np.array_equal(carry(counts, mean, exposure), clean)


def test_the_reason_is_told_in_words() -> None:
    words = reason(update(143, 120.4, 0.01), "12:00")
    assert words == (
        "until 12:00 143 people came, 120 were forecast (+19%); 55% of such a difference carries "
        "on: the rest of the day x 1.10"
    )
    assert "the forecast stands" in reason(update(143, 120.4, 0.0), "12:00")
    assert "nothing was expected" in reason(update(0, 0, 0.1), "07:00", "orders")
