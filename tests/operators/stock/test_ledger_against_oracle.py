"""The ledger against the oracles: positions, dead letters, alerts; in any order and any blocks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from alert_oracle import expected_alerts
from depth import cases
from hypothesis import given
from hypothesis import strategies as st
from ledger_driver import Kept, drive
from stock_events import Event, correction, event, random_history, render_lines
from stock_oracle import expect
from stock_strategies import (
    PATIENT,
    consistent_histories,
    histories,
    shuffled,
    wide_histories,
)

from schemas.chain import Chain, StockConfig, StockRule

CHAIN = Chain(
    stock=StockConfig(
        rules=(
            StockRule(sku="A*", safety_stock=5, floor=1),
            StockRule(place="S2", safety_stock=20),
        )
    )
)
POSITION = ("on_hand", "allocated", "quarantined", "in_transit", "available", "version", "as_of")
ALERT = (
    "alert_type",
    "severity",
    "sku",
    "place",
    "status",
    "observed",
    "level",
    "clear_level",
    "opened_at",
    "updated_at",
    "cleared_at",
    "shortfall",
)


def positions_of(kept: Kept) -> dict[tuple[str, str], tuple[int, ...]]:
    return {key: tuple(row[name] for name in POSITION) for key, row in kept.positions.items()}


def alerts_of(kept: Kept) -> list[tuple[Any, ...]]:
    return sorted((tuple(row[name] for name in ALERT) for row in kept.alerts.values()), key=repr)


def assert_as_expected(lines: list[bytes], kept: Kept, chain: Chain) -> None:
    expected = expect(lines, chain)
    assert kept.dead_letters == expected.dead_letters
    assert kept.duplicates == expected.duplicates
    wanted = {
        key: tuple(getattr(row, name) for name in POSITION)
        for key, row in expected.positions.items()
    }
    assert positions_of(kept) == wanted
    alerts = [
        tuple({**asdict(alert), "shortfall": alert.shortfall}[name] for name in ALERT)
        for alert in expected_alerts(expected, chain)
    ]
    assert alerts_of(kept) == sorted(alerts, key=repr)


@PATIENT
@given(history=histories(), size=st.integers(1, 30), data=st.data())
def test_any_history_in_any_blocks_with_restarts(
    history: list[Event], size: int, data: st.DataObject
) -> None:
    lines = render_lines(history)
    restarts = data.draw(st.frozensets(st.integers(0, 10)))
    assert_as_expected(lines, drive(lines, CHAIN, size=size, reopen_at=restarts), CHAIN)


@PATIENT
@given(history=wide_histories(), size=st.integers(1, 30), data=st.data())
def test_histories_wider_than_the_horizon(
    history: list[Event], size: int, data: st.DataObject
) -> None:
    lines = render_lines(history)
    restarts = data.draw(st.frozensets(st.integers(0, 10)))
    kept = drive(lines, CHAIN, size=size, reopen_at=restarts)
    expected = expect(lines, CHAIN)
    assert kept.dead_letters == expected.dead_letters
    wanted = {
        key: tuple(getattr(row, name) for name in POSITION)
        for key, row in expected.positions.items()
    }
    assert positions_of(kept) == wanted


@PATIENT
@given(data=st.data())
def test_order_of_arrival_changes_nothing(data: st.DataObject) -> None:
    history = data.draw(consistent_histories())
    other = data.draw(shuffled(history))
    one = drive(render_lines(history), CHAIN, size=5)
    two = drive(render_lines(other), CHAIN, size=data.draw(st.integers(1, 12)))
    assert one.positions == two.positions
    assert one.alerts == two.alerts


def test_an_id_used_again_is_taken_back_alone() -> None:
    """Its forgotten event still counts, also while the window has not been swept of it."""
    again = event("received", 5, 48.7 * 60, id="r", place="S3")
    history = [
        event("sold", 2, 0, id="r"),
        event("sold", 1, 37 * 60, place="S2"),
        event("sold", 1, 48.5 * 60, place="S2"),
        correction(again, 48.6 * 60, id="c"),
        again,
        event("sold", 1, 48.9 * 60),
        # Late, so that the figures of its place are made anew.
        event("sold", 1, 48.8 * 60),
    ]
    lines = render_lines(history)
    for size in (1, 3, 7):
        kept = drive(lines, CHAIN, size=size, reopen_at=frozenset({5}))
        assert_as_expected(lines, kept, CHAIN)
        assert kept.positions["TEA", "S1"]["on_hand"] == -4


@pytest.mark.deep
@pytest.mark.parametrize(("seed", "late_hours"), [(1, 0), (2, 20), (3, 60)])
def test_thousands_of_movements(seed: int, late_hours: float) -> None:
    """As many of each SKU as a busy one has in a week; of more SKUs in the deep run."""
    count, skus = cases(6_000, 20_000), cases(20, 60)
    history = random_history(seed, count, skus=skus, late_hours=late_hours)
    lines = render_lines(history, seed)
    kept = drive(lines, CHAIN, size=count // 20, reopen_at=frozenset({3, 11}))
    assert_as_expected(lines, kept, CHAIN)
