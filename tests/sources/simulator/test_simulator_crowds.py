"""The simulated footfall of many shops: its counts are draws from the intensity it tells."""

from __future__ import annotations

import numpy as np
import pytest

from operators.forecast.scores import accuracy, noise_floor
from sources.simulator.crowds import Crowds, CrowdSettings, draw


@pytest.fixture(scope="module")
def crowds() -> Crowds:
    return draw(CrowdSettings(stores=30, days=40, late=0.3, late_days=5))


def test_same_settings_same_counts(crowds: Crowds) -> None:
    again = draw(crowds.settings)
    assert np.array_equal(again.entries.counts, crowds.entries.counts)
    other = draw(CrowdSettings(stores=30, days=40, seed=2))
    assert not np.array_equal(other.entries.counts, crowds.entries.counts)


def test_counts_are_poisson_with_the_intensity(crowds: Crowds) -> None:
    there = crowds.entries.exposure > 0
    came, mean = crowds.entries.counts[there], crowds.intensity[there]
    assert came.sum() == pytest.approx(mean.sum(), abs=4 * np.sqrt(mean.sum()))
    assert np.mean((came - mean) ** 2 / mean) == pytest.approx(1, abs=0.03)
    assert accuracy(came, mean) == pytest.approx(noise_floor(mean), abs=0.003)


def test_orders_come_from_those_who_came_in(crowds: Crowds) -> None:
    assert (crowds.orders.counts <= crowds.entries.counts).all()
    there = crowds.orders.exposure > 0
    mean = crowds.orders_intensity[there].sum()
    assert crowds.orders.counts[there].sum() == pytest.approx(mean, abs=4 * np.sqrt(mean))


def test_dead_doors_and_shops_to_come_are_masked(crowds: Crowds) -> None:
    blind = (crowds.entries.exposure == 0) & (crowds.is_open > 0)
    assert blind.any()
    assert (crowds.entries.counts[blind] == 0).all()
    begun = (crowds.entries.exposure.sum(axis=2) > 0).argmax(axis=1)
    assert (begun >= 35).any()


def test_weather_is_forecast_worse_the_longer_ahead(crowds: Crowds) -> None:
    off = [np.abs(crowds.high_c[lead] - crowds.high_c[0]).mean() for lead in range(8)]
    assert off == sorted(off)
    known = crowds.known(3, 10, 2)
    assert np.array_equal(known.rain_mm, crowds.rain_mm[2][crowds.city, 3:10])
