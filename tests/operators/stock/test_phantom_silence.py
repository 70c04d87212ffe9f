"""How probable a silence is, beside the integral and dice; thresholds keep false alarms rare."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.stock.phantom.silence import silence_probability, threshold


@pytest.mark.parametrize("sales", [1.0, 3.0, 12.5, 40.0])
@pytest.mark.parametrize("meanwhile", [0.0, 3.0, 70.0, 900.0])
def test_the_probability_is_the_posterior_predictive_of_no_sale(
    sales: float, meanwhile: float
) -> None:
    """Against the integral over the gamma posterior itself."""
    trade = 200.0
    top, steps = (sales + 12 * math.sqrt(sales) + 12) / trade, 40_000
    integral = 0.0
    for step in range(steps):
        rate = (step + 0.5) * top / steps
        density = sales * math.log(trade) + (sales - 1) * math.log(rate) - trade * rate
        integral += math.exp(density - math.lgamma(sales) - rate * meanwhile) * top / steps
    assert silence_probability(sales, trade, meanwhile, 1e9) == pytest.approx(integral, rel=2e-3)


def test_silences_of_steady_demand_cross_a_threshold_as_often_as_it_says() -> None:
    rng = Random(20261123)
    found = []
    for _ in range(20_000):
        gaps = [rng.expovariate(0.02) for _ in range(9)]
        found.append(silence_probability(8, sum(gaps[:8]), gaps[8], 1e9))
    for least in (0.5, 0.1, 0.01):
        share = sum(one < least for one in found) / len(found)
        assert share == pytest.approx(least, abs=4 * math.sqrt(least / len(found)))


@given(st.floats(1, 500), st.floats(1, 1e5), st.floats(0, 1e5), st.floats(1, 100))
def test_less_even_demand_is_never_more_suspicious(
    sales: float, trade: float, meanwhile: float, dispersion: float
) -> None:
    capped = silence_probability(sales, trade, meanwhile, dispersion)
    assert 0 <= silence_probability(sales, trade, meanwhile, 1e9) <= capped * (1 + 1e-9) <= 1 + 1e-9


@given(st.lists(st.floats(0.01, 50), min_size=1, max_size=50), st.floats(0.1, 20))
def test_false_alarms_of_all_pairs_stay_within_what_is_allowed(
    rates: list[float], allowed: float
) -> None:
    """Sales a day times threshold is what a pair has to expect of them."""
    expected = sum(rate * threshold(1.0, allowed, len(rates), rate) for rate in rates)
    assert expected <= allowed * (1 + 1e-9)
