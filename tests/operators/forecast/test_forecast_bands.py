"""Bands hold what they promise, on counts whose distribution is known and where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.forecast import bands
from operators.forecast.scores import accuracy, coverage, noise_floor


def held(spread: float, level: float, *, heavy: bool = False, mean: float = 20.0) -> float:
    """The share of fresh counts inside bands learned from others like them."""
    rng = np.random.default_rng(7)
    means = mean * np.exp(rng.normal(0, 0.4, (40, 800)))
    luck = rng.gamma(1 / spread, spread, means.shape)
    if heavy:  # now and then a day that nobody expects, which no negative binomial has
        luck = np.where(rng.random(means.shape) < 0.04, 3.0, luck)
    counts = rng.poisson(means * luck).astype(float)
    learn, judge = slice(0, 400), slice(400, 800)
    there = np.ones((40, 400), dtype=bool)
    tails = bands.measure(counts[:, learn], means[:, learn], there)
    low, high = bands.band(means[:, judge], tails.spread[:, None], tails, level)
    return coverage(counts[:, judge], low, high)


@pytest.mark.parametrize("level", bands.LEVELS)
@pytest.mark.parametrize("spread", [0.002, 0.05])
def test_they_hold_their_share(spread: float, level: float) -> None:
    assert held(spread, level) == pytest.approx(level, abs=0.015)


@pytest.mark.parametrize("level", bands.LEVELS)
def test_they_hold_it_where_the_distribution_is_another(level: float) -> None:
    assert held(0.01, level, heavy=True) == pytest.approx(level, abs=0.015)


def test_small_counts_are_not_promised_too_much() -> None:
    """Whole numbers make coarse bands, and the tail is chosen so that they hold on average."""
    assert held(0.01, 0.8, mean=2.0) == pytest.approx(0.8, abs=0.03)


@settings(max_examples=60, deadline=None)
@given(
    mean=st.floats(0.05, 5_000),
    spread=st.floats(1e-6, 0.5),
    count=st.integers(0, 6_000),
    tail=st.floats(0.001, 0.4),
)
def test_a_count_is_inside_exactly_when_its_score_says_so(
    mean: float, spread: float, count: int, tail: float
) -> None:
    """The score of split conformal prediction is the widest tail that still holds the count."""
    from scipy.stats import nbinom

    size = 1 / spread
    chance = size / (size + mean)
    score = min(nbinom.cdf(count, size, chance), nbinom.sf(count - 1, size, chance))
    tails = bands.Tails(np.array([spread]), dict.fromkeys(bands.LEVELS, np.full(3, tail)))
    low, high = bands.band(np.array([mean]), np.array([spread]), tails, 0.8)
    if abs(score - tail) > 1e-9:
        assert (low[0] <= count <= high[0]) == (score > tail)


@settings(max_examples=40, deadline=None)
@given(mean=st.floats(0.01, 10_000), spread=st.floats(1e-6, 0.3))
def test_the_wider_band_holds_the_narrower(mean: float, spread: float) -> None:
    tails = bands.Tails(np.array([spread]), {0.8: np.full(3, 0.1), 0.95: np.full(3, 0.025)})
    inner = bands.band(np.array([mean]), np.array([spread]), tails, 0.8)
    outer = bands.band(np.array([mean]), np.array([spread]), tails, 0.95)
    assert outer[0][0] <= inner[0][0] <= inner[1][0] <= outer[1][0]


def test_what_is_closed_has_an_empty_band() -> None:
    tails = bands.Tails(np.array([0.1]), {0.8: np.full(3, 0.1), 0.95: np.full(3, 0.02)})
    low, high = bands.band(np.zeros(2), np.array([0.1]), tails, 0.95)
    assert (low.tolist(), high.tolist()) == ([0, 0], [0, 0])


@pytest.mark.parametrize("mean", [0.3, 1.0, 7.5, 60.0, 900.0])
def test_the_floor_is_the_mean_absolute_deviation_of_a_poisson_count(mean: float) -> None:
    from scipy.stats import poisson

    counts = np.arange(int(mean + 20 * np.sqrt(mean) + 20))
    off = np.sum(np.abs(counts - mean) * poisson.pmf(counts, mean))
    assert noise_floor(np.array([mean])) == pytest.approx(1 - off / mean, abs=1e-9)


def test_accuracy_is_one_less_the_share_that_was_misplaced() -> None:
    assert accuracy(np.array([10.0, 30.0]), np.array([12.0, 24.0])) == pytest.approx(0.8)
    assert np.isnan(accuracy(np.zeros(3), np.ones(3)))
