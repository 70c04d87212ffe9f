"""What comparing costs: pairs a second through Redis, warehouse and log, and Redis's own part.

python -m bench.drift --pairs 20000
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa

from bench.hold_servers import redis_server
from infra.pool_truth import PoolTruth
from operators.stock.drift import TruthLog
from operators.stock.drift_alerts import DriftDesk
from schemas.instants import SECOND_US
from schemas.position import Position
from schemas.warehouse import STOCK_POSITION
from serving.drift import GateViews, WarehouseView
from sinks.redis.client import HoldGate
from sinks.redis.model import HoldLine
from sinks.redis.settings import GateSettings
from sinks.warehouse.client import Warehouse

POOL = "all"


def position(number: int) -> Position:
    """The position of one pair."""
    return Position(
        sku=f"SKU{number // 20:05}",
        place=f"S{number % 20:03}",
        pool=POOL,
        on_hand=50,
        allocated=0,
        quarantined=0,
        in_transit=0,
        held_confirmed_seq=0,
        available=50,
        safety_stock=0,
        days_of_cover=None,
        demand_rate=0.0,
        version=3,
        as_of=datetime(2026, 11, 23, tzinfo=UTC),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args(arguments)
    positions = [position(number) for number in range(given.pairs)]
    pairs = [(one.sku, one.place) for one in positions]
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder) / "redis") as url:
        file = Path(folder) / "shop.duckdb"
        warehouse = Warehouse(file)
        rows = [msgspec.structs.asdict(one) for one in positions]
        warehouse.upsert(STOCK_POSITION, pa.Table.from_pylist(rows, STOCK_POSITION.arrow()))
        warehouse.close()
        log = TruthLog(10 * SECOND_US)
        for one in positions:
            log.tell(one, 0)
        with (
            HoldGate(GateSettings(url=url, pool=POOL)) as gate,
            GateViews(url) as gates,
            WarehouseView(file) as view,
        ):
            gate.open_gate("bench")
            gate.project(positions)
            for number in range(0, given.pairs, 10):
                sku, place = pairs[number]
                gate.hold(f"h{number}", [HoldLine(sku, 1, place)], ttl_seconds=3600)
            truth = PoolTruth(log, lambda: (), DriftDesk(10 * SECOND_US), gates, view)
            for run in range(given.runs):
                began = time.perf_counter()
                gates.read(POOL, pairs)
                redis = time.perf_counter() - began
                began = time.perf_counter()
                found = truth.check()
                whole = time.perf_counter() - began
                assert not found, found[:3]
                print(
                    f"run {run + 1}: {given.pairs / whole:,.0f} pairs/s through all three views, "
                    f"{given.pairs / redis:,.0f}/s in Redis alone"
                )


if __name__ == "__main__":
    main()
