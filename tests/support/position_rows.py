"""Rows of stock_position as tests write and read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from schemas.tables import Table
from schemas.warehouse import STOCK_POSITION
from sinks.warehouse.client import Warehouse


def position(sku: str = "TEA", place: str = "S1", version: int = 1, **more: Any) -> dict[str, Any]:
    """A row of stock_position."""
    row = {
        "sku": sku,
        "place": place,
        "pool": "all",
        "on_hand": 0,
        "allocated": 0,
        "quarantined": 0,
        "in_transit": 0,
        "held_confirmed_seq": 0,
        "available": 0,
        "safety_stock": 0,
        "days_of_cover": None,
        "demand_rate": 0.0,
        "version": version,
        "as_of": datetime(2026, 11, 23, tzinfo=UTC),
    }
    return row | more


def rows_of(table: Table, *rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=table.arrow())


def put(warehouse: Warehouse, *rows: dict[str, Any], several: bool = False) -> None:
    warehouse.upsert(STOCK_POSITION, rows_of(STOCK_POSITION, *rows), several=several)


def on_hand(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.execute("SELECT sku, on_hand, version FROM stock_position ORDER BY sku")
