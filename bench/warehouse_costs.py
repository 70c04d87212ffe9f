"""What one transaction of the served warehouse costs, and what its upkeep gives back."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.warehouse import STOCK_ALERT, STOCK_POSITION
from serving.warehouse import ServerSettings, WarehouseServer
from sinks.warehouse.address import Address
from sinks.warehouse.client import Warehouse
from sinks.warehouse.retention import kept_days, retain
from sinks.warehouse.statements import carried, upsert
from sinks.warehouse.upkeep import compact, fold

PORT = 19494
WRITE_TOKEN = "bench-writes-and-reads"
READ_TOKEN = "bench-only-reads-this"
AS_OF = datetime(2026, 11, 23, tzinfo=UTC)


def server_settings(file: Path) -> ServerSettings:
    """A server of this file."""
    return ServerSettings(
        file=file,
        write_tokens=[WRITE_TOKEN],
        read_tokens=[READ_TOKEN],
        port=PORT,
        read_port=PORT + 1,
    )


def rows(keys: Sequence[int], version: int) -> pa.Table:
    """Positions by number."""
    count = len(keys)
    columns: dict[str, list[Any]] = {
        "sku": [f"SKU-{key // 50:06d}" for key in keys],
        "place": [f"S{key % 50:02d}" for key in keys],
        "pool": ["all"] * count,
        "on_hand": [(key * 7 + version) % 200 for key in keys],
        "days_of_cover": [None if key % 3 else key / 7 for key in keys],
        "demand_rate": [key / 9 for key in keys],
        "version": [version] * count,
        "as_of": [AS_OF] * count,
    }
    columns |= {n: [key % 90 for key in keys] for n in STOCK_POSITION.names if n not in columns}
    return pa.table(
        [pa.array(columns[field.name], type=field.type) for field in STOCK_POSITION.arrow()],
        schema=STOCK_POSITION.arrow(),
    )


def ways(folder: Path, runs: int) -> None:
    """Milliseconds of one transaction by the number of its rows and the way they travel."""
    print("\n| rows | JSON by column | VALUES | embedded |\n|---|---|---|---|")
    embedded = Warehouse(folder / "embedded.db")
    with closing(WarehouseServer(server_settings(folder / "ways.db"))), closing(embedded):
        served = Warehouse(Address(host="127.0.0.1", port=PORT, token=WRITE_TOKEN))
        for count in (10, 100, 1_000, 5_000, 20_000):
            some = rows(range(count), 1)
            took = [
                _median_ms(lambda: served.write(_message(some, carried)), runs),  # noqa: B023
                _median_ms(lambda: served.write(_message(some, _values)), runs)  # noqa: B023
                if count <= 5_000
                else None,
                _median_ms(lambda: embedded.upsert(STOCK_POSITION, some), runs),  # noqa: B023
            ]
            shown = " | ".join("" if one is None else f"{one:,.1f}" for one in took)
            print(f"| {count:,} | {shown} |")
        served.close()


def _message(some: pa.Table, way: Callable[[Any, pa.Table], str]) -> str:
    return upsert(STOCK_POSITION, way(STOCK_POSITION.columns, some), several=False)


def _values(_columns: object, some: pa.Table) -> str:
    def written(value: object) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, datetime):
            return f"'{value.isoformat()}'::TIMESTAMPTZ"
        return f"'{value}'" if isinstance(value, str) else repr(value)

    lines = ", ".join(f"({', '.join(map(written, row.values()))})" for row in some.to_pylist())
    return f"(VALUES {lines}) t({', '.join(STOCK_POSITION.names)})"


def _median_ms(work: Callable[[], None], runs: int) -> float:
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took)


def upkeep(folder: Path, alerts: int) -> None:
    """Bytes of a file with much history: as it is, after retention, after compaction."""
    file = folder / "history.db"
    text = '[{"claim": "sale", "quantity": 2, "order": "o-1234567", "source": "till-1"}]'
    with closing(Warehouse(file)) as warehouse:
        warehouse.upsert(STOCK_POSITION, rows(range(1_000), 1))
        some = []
        for number in range(alerts):
            cleared = AS_OF - timedelta(days=400 * number / alerts)
            row = dict.fromkeys(STOCK_ALERT.names, "x") | {
                "alert": f"oversell/SKU-{number}@S1/{cleared.isoformat()}",
                "status": "cleared",
                **dict.fromkeys(("observed", "level", "clear_level", "shortfall"), number % 9),
                **dict.fromkeys(("claims", "evidence"), text.replace("1234567", str(number))),
                **dict.fromkeys(("opened_at", "updated_at", "cleared_at"), cleared),
            }
            some.append(row)
        warehouse.upsert(STOCK_ALERT, pa.Table.from_pylist(some, schema=STOCK_ALERT.arrow()))
        fold(warehouse)
        print(f"\n{alerts:,} cleared alerts of 400 days: {file.stat().st_size:,} bytes")
        began = time.perf_counter()
        gone = retain(warehouse, kept_days(30, {}), datetime.now(UTC))["stock_alert"]
        fold(warehouse)
        took = time.perf_counter() - began
    print(f"retain --days 30: {gone:,} rows in {took:.2f} s, {file.stat().st_size:,} bytes")
    began = time.perf_counter()
    _, after = compact(file)
    print(f"compact: {time.perf_counter() - began:.2f} s, {after:,} bytes")
