"""The loss function against sums over the distribution, and its shape."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.stock.transfers.loss import NORMAL_FROM, expected_lost, lost_by_stock


def summed(mean: float, stock: int) -> float:
    """The definition, term by term."""
    total, chance = 0.0, math.exp(-mean)
    for demand in range(1, stock + 600):
        chance *= mean / demand
        total += max(0, demand - stock) * chance
    return total


@settings(max_examples=150, deadline=None)
@given(st.floats(0, 60), st.integers(0, 90))
def test_it_is_the_sum_over_the_poisson_distribution(mean: float, stock: int) -> None:
    assert expected_lost(mean, stock) == pytest.approx(summed(mean, stock), abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(st.floats(0, 400), st.integers(-5, 300), st.integers(0, 200))
def test_each_unit_more_saves_at_most_what_the_one_before_saved(
    mean: float, least: int, more: int
) -> None:
    found = lost_by_stock(mean, least, least + more)
    assert len(found) == more + 1
    saved = [one - other for one, other in pairwise(found)]
    assert all(-1e-9 <= one <= 1 + 1e-9 for one in saved)
    assert all(one >= other - 1e-9 for one, other in pairwise(saved))
    assert found[-1] >= 0


def test_units_that_are_promised_are_lost_for_sure() -> None:
    assert lost_by_stock(2.0, -3, 0) == pytest.approx([5.0, 4.0, 3.0, 2.0])
    assert lost_by_stock(0.0, -3, -2) == [3.0, 2.0]


def test_the_two_distributions_meet() -> None:
    below, above = NORMAL_FROM * (1 - 1e-9), NORMAL_FROM
    for stock in range(150, 260, 10):
        assert expected_lost(below, stock) == pytest.approx(expected_lost(above, stock), abs=0.05)
