"""A small warehouse with something of everything, for those who read it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.tables import Table
from schemas.warehouse import DEAD_LETTER, FLOW_RUN, STOCK_ALERT, STOCK_POSITION
from sinks.warehouse.client import Warehouse

Row = dict[str, Any]

NEWEST = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def position(sku: str, place: str, on_hand: int, rate: float = 2.0, **more: Any) -> Row:
    allocated = more.get("allocated", 0)
    available = on_hand - allocated
    return {
        "sku": sku,
        "place": place,
        "pool": "all",
        "on_hand": on_hand,
        "allocated": allocated,
        "quarantined": 0,
        "in_transit": 0,
        "held_confirmed_seq": 0,
        "available": available,
        "safety_stock": 3,
        "days_of_cover": max(available, 0) / rate if rate else None,
        "demand_rate": rate,
        "version": 4,
        "as_of": NEWEST,
    } | more


def alert(alert_type: str, severity: str, sku: str, place: str, shortfall: int, **more: Any) -> Row:
    opened = more.pop("opened_at", NEWEST - timedelta(hours=1))
    sale = {
        "kind": "sold",
        "quantity": 2,
        "time": "2026-11-23T11:30:00Z",
        "source": "till-1",
        "id": "s1",
        "order": "o7",
    }
    return {
        "alert": f"{alert_type}/{sku}@{place}/{opened:%Y-%m-%dT%H:%M:%SZ}",
        "alert_type": alert_type,
        "status": "raised",
        "severity": severity,
        "sku": sku,
        "place": place,
        "observed": -shortfall,
        "level": 0,
        "clear_level": 1,
        "shortfall": shortfall,
        "claims": json.dumps([{**sale, "claim": "sale", "broke_floor": True}]),
        "evidence": json.dumps([sale]),
        "suggested_action": "count the shelf",
        "opened_at": opened,
        "updated_at": opened,
        "cleared_at": None,
    } | more


def dead_letter(code: str, line: int, **more: Any) -> Row:
    return {
        "source": "events.jsonl",
        "position": line,
        "reason_code": code,
        "reason": f"{code}: look at line {line}",
        "event_source": "till-1",
        "event_id": f"e{line}",
        "event_time": NEWEST,
        "raw": b'{"half": \xff',
        "version": 1,
    } | more


def run_row(run: str, **more: Any) -> Row:
    counts = dict.fromkeys(
        [column.name for column in FLOW_RUN.columns if column.type == "integer"], 5
    )
    return {
        "run": run,
        "flow": "stock",
        "status": "finished",
        "source": "events.jsonl",
        "started_at": NEWEST,
        "updated_at": NEWEST + timedelta(seconds=3),
        "newest_event": NEWEST,
        **counts,
        **more,
    }


def write_rows(warehouse: Warehouse, table: Table, rows: Iterable[Row]) -> None:
    warehouse.upsert(table, pa.Table.from_pylist(list(rows), schema=table.arrow()))


def small_warehouse(path: Path) -> Path:
    """Three places, three SKUs, five alerts, four dead letters, two runs."""
    warehouse = Warehouse(path)
    write_rows(
        warehouse,
        STOCK_POSITION,
        [
            position("TEA-GREEN", "S1", 12),
            position("TEA-GREEN", "S2", 3, allocated=5),
            position("TEA-GREEN", "W1", 40, rate=0.0, pool="far"),
            position("TEA-BLACK", "S1", 1),
            position("TEA-BLACK", "S2", 2, as_of=NEWEST - timedelta(days=40)),
            position("[bold]CUP[/bold]", "S1", 7, rate=0.05),
        ],
    )
    write_rows(
        warehouse,
        STOCK_ALERT,
        [
            alert("below_safety_stock", "warning", "TEA-BLACK", "S1", 9),
            alert("negative_on_hand", "high", "TEA-BLACK", "S2", 1),
            alert("oversell", "critical", "TEA-GREEN", "S2", 2),
            alert("oversell", "critical", "TEA-BLACK", "S2", 5),
            alert(
                "stock_out",
                "high",
                "TEA-GREEN",
                "S1",
                1,
                status="cleared",
                claims="[]",
                cleared_at=NEWEST,
            ),
        ],
    )
    write_rows(
        warehouse,
        DEAD_LETTER,
        [
            *(dead_letter("not_json", line) for line in (9, 3, 7)),
            dead_letter("too_late", 5, event_id=None),
        ],
    )
    write_rows(
        warehouse,
        FLOW_RUN,
        [run_row("one"), run_row("two", started_at=NEWEST + timedelta(hours=1))],
    )
    warehouse.close()
    return path
