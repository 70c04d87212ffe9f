"""Shapes of days: what they add up to, what they believe, and what they must not see."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from operators.forecast import shapes
from operators.forecast.days import SHAPES
from operators.forecast.panel import SLOTS, Panel, hours
from operators.forecast.similar import borrowed_shapes, likenesses, names, new_stores

Floats = NDArray[np.float64]
DAYS = 42
KINDS = np.arange(DAYS) % 7 // 2


def peak(hour: float) -> Floats:
    """A shape with one peak, open from 9 to 21."""
    slots = np.arange(SLOTS)
    curve = 0.2 + np.exp(-(((slots / 4 - hour) / 1.5) ** 2))
    curve = np.where((slots >= 36) & (slots < 84), curve, 0)
    return np.asarray(curve / curve.sum())


def panel(seed: int = 1, stores: int = 12, visitors: float = 600) -> Panel:
    """Half of the stores peak at noon, half in the evening; the last one is a week old."""
    rng = np.random.default_rng(seed)
    true = np.stack([peak(12 if store % 2 else 19) for store in range(stores)])
    counts = rng.poisson(visitors * np.repeat(true[:, None], DAYS, axis=1)).astype(float)
    exposure = np.repeat((true > 0)[:, None], DAYS, axis=1).astype(float)
    exposure[-1, :-7] = 0
    groups = tuple("noon" if store % 2 else "evening" for store in range(stores))
    named = tuple(f"S{store}" for store in range(stores))
    return Panel(named, groups, date(2026, 3, 2), counts, exposure)


def test_a_shape_is_one_over_the_open_quarters() -> None:
    found = shapes.fit(panel(), KINDS)
    assert found.shape == (12, SHAPES, SLOTS)
    assert found[..., 36:84].sum(axis=-1) == pytest.approx(1, abs=1e-9)


def test_it_is_near_the_true_one() -> None:
    found = shapes.fit(panel(), KINDS)
    for store in range(11):
        true = peak(12 if store % 2 else 19)
        assert np.abs(found[store, 0, 36:84] - true[36:84]).sum() < 0.06


def test_many_small_stores_know_more_together() -> None:
    """A store with few visitors is nearer to the truth with the others than by its own counts."""
    small = panel(visitors=15)
    found = shapes.fit(small, KINDS)
    raw = small.counts.sum(axis=1) / np.maximum(small.counts.sum(axis=(1, 2)), 1)[:, None]
    true = np.stack([peak(12 if store % 2 else 19) for store in range(12)])
    assert np.abs(found[:-1, 0] - true[:-1]).sum() < 0.5 * np.abs(raw[:-1] - true[:-1]).sum()


def test_masked_quarters_are_never_looked_at() -> None:
    clean = panel()
    exposure = clean.exposure.copy()
    exposure[3, 5:9, 40:60] = 0
    spoiled = clean.counts.copy()
    spoiled[3, 5:9, 40:60] = 1e6
    one = Panel(clean.stores, clean.groups, clean.first, clean.counts, exposure)
    other = Panel(clean.stores, clean.groups, clean.first, spoiled, exposure)
    assert np.array_equal(shapes.fit(one, KINDS), shapes.fit(other, KINDS))


def test_a_day_of_which_half_was_seen_is_worth_a_whole_one() -> None:
    whole = panel()
    exposure = whole.exposure.copy()
    exposure[:, ::2, 60:] = 0
    half = Panel(whole.stores, whole.groups, whole.first, whole.counts, exposure)
    rates = shapes.fit(half, KINDS)
    totals = shapes.day_totals(half, rates[:, KINDS])
    assert totals[:-1, ::2].mean() == pytest.approx(totals[:-1, 1::2].mean(), rel=0.02)


def test_a_new_store_borrows_from_those_it_is_like() -> None:
    """Without groups its one week says which of the others it resembles."""
    found = panel()
    blind = Panel(found.stores, ("",) * 12, found.first, found.counts, found.exposure)
    assert new_stores(blind) == [11]
    rates = shapes.fit(blind, KINDS)
    [like] = likenesses(blind, rates, KINDS, [11])
    assert like.weights.sum() == pytest.approx(1)
    assert {int(name[1:]) % 2 for name in names(blind, like)} == {1}
    borrowed = borrowed_shapes(rates, [like])
    assert np.abs(borrowed[0, 0] - peak(12)).sum() < 0.1
    whole = shapes.fit(blind, KINDS, borrowed, [11])
    assert np.abs(whole[11, 0] - peak(12)).sum() < 0.15


def test_the_strength_of_belief_is_found() -> None:
    """Rates drawn from gamma distributions of a known strength."""
    rng = np.random.default_rng(3)
    expected = np.full((200, 30), 1 / 30)
    for true in (100.0, 1_000.0):
        rates = rng.gamma(true * expected, 1 / true)
        exposure = np.full(expected.shape, 5_000.0)
        counts = rng.poisson(exposure * rates).astype(float)
        assert shapes.strength(counts, exposure, expected) == true


def test_quarters_add_up_to_hours() -> None:
    assert hours(np.arange(SLOTS, dtype=float))[:2].tolist() == [6.0, 22.0]


def test_a_panel_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="one row for each"):
        Panel(("a",), ("",), date(2026, 1, 1), np.zeros((2, 3, SLOTS)), np.zeros((2, 3, SLOTS)))
