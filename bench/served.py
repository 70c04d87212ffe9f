"""Upserts of positions and dashboard queries at the same moment: a file, a served one, a peer.

    python -m bench.served                        # medians of 3 runs of 5 seconds each
    python -m bench.served --runs 1 --seconds 2 --positions 20000

`embedded`: one process writes a DuckDB file, and nobody else can even read it. `served`: one or two
processes write through the server while one reads, or nobody does. `sqlite`: the same on SQLite in
WAL mode, the embedded database that several processes may open. PostgreSQL would be the next peer;
it is left out, for tillflow has no driver for it among its dependencies.

Then what a message of the served warehouse costs by the way its rows travel, and what retention and
compaction give back.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from bench.warehouse_costs import (
    PORT,
    READ_TOKEN,
    WRITE_TOKEN,
    rows,
    server_settings,
    upkeep,
    ways,
)
from schemas.warehouse import STOCK_POSITION
from serving.warehouse import WarehouseServer
from sinks.warehouse.address import Address
from sinks.warehouse.client import Warehouse, open_reader

BATCH = 1_000
BY_PLACE = (
    "SELECT place, count(*), sum(on_hand), sum(greatest(-available, 0)) FROM stock_position "
    "GROUP BY place ORDER BY 4 DESC LIMIT 20"
)
ONE_SKU = "SELECT * FROM stock_position WHERE sku = ?"
# SQLite has two-argument max() for greatest().
BY_PLACE_SQLITE = BY_PLACE.replace("greatest", "max")

Target = Path | Address


@dataclass(frozen=True, slots=True)
class Leg:
    """What runs at the same moment."""

    name: str
    kind: str
    writers: int
    readers: int


LEGS = (
    Leg("embedded file", "file", 1, 0),
    Leg("served, nobody reads", "served", 1, 0),
    Leg("served, one reads", "served", 1, 1),
    Leg("served, two write, one reads", "served", 2, 1),
    Leg("served, only reading", "served", 0, 1),
    Leg("sqlite, one writes, one reads", "sqlite", 1, 1),
)


def batch(random: Random, positions: int, part: int, parts: int, version: int) -> pa.Table:
    """A thousand positions of the keys that this writer owns."""
    count = positions // parts
    keys = random.sample(range(count), min(BATCH, count))
    return rows([key * parts + part for key in keys], version)


def write(target: Target, kind: str, job: tuple[int, int, int, float], start: Any) -> int:
    """Upsert batches, a transaction each, for some seconds; how many rows were written."""
    part, parts, positions, seconds = job
    random, version, written = Random(part), 1, 0
    put = _sqlite_writer(target) if kind == "sqlite" else _writer(target)
    start.wait()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        version += 1
        put(batch(random, positions, part, parts, version))
        written += min(BATCH, positions // parts)
    return written


def _writer(target: Target) -> Callable[[pa.Table], None]:
    warehouse = Warehouse(target)

    def put(some: pa.Table) -> None:
        with warehouse.transaction():
            warehouse.upsert(STOCK_POSITION, some)

    return put


def _sqlite_writer(target: Target) -> Callable[[pa.Table], None]:
    database = sqlite3.connect(str(target), isolation_level=None, timeout=60)
    names = STOCK_POSITION.names
    sets = ", ".join(f"{name} = excluded.{name}" for name in names[2:])
    sql = (
        f"INSERT INTO stock_position VALUES ({', '.join('?' * len(names))}) ON CONFLICT "
        f"(sku, place) DO UPDATE SET {sets} WHERE excluded.version >= stock_position.version"
    )

    def put(some: pa.Table) -> None:
        texts = some.set_column(len(names) - 1, "as_of", some["as_of"].cast(pa.int64()))
        database.execute("BEGIN IMMEDIATE")
        database.executemany(sql, zip(*(texts[name].to_pylist() for name in names), strict=True))
        database.execute("COMMIT")

    return put


def read(target: Target, kind: str, job: tuple[int, int, int, float], start: Any) -> int:
    """Ask a table by place and one SKU in turn, for some seconds; how many answers came."""
    _, _, positions, seconds = job
    random, answers = Random(99), 0
    reader: Any = (
        sqlite3.connect(str(target), timeout=60) if kind == "sqlite" else open_reader(target)
    )
    start.wait()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        reader.execute(BY_PLACE_SQLITE if kind == "sqlite" else BY_PLACE).fetchall()
        reader.execute(ONE_SKU, [f"SKU-{random.randrange(positions // 50):06d}"]).fetchall()
        answers += 2
    return answers


def run(leg: Leg, folder: Path, positions: int, seconds: float) -> tuple[float, float]:
    """Rows written and questions answered a second."""
    file = folder / f"{leg.name}.db"
    if leg.kind == "sqlite":
        _fill_sqlite(file, positions)
        return _together(leg, file, file, positions, seconds)
    with closing(Warehouse(file)) as warehouse:
        warehouse.upsert(STOCK_POSITION, rows(range(positions), 1))
    if leg.kind == "file":
        return _together(leg, file, file, positions, seconds)
    with closing(WarehouseServer(server_settings(file))):
        writer = Address(host="127.0.0.1", port=PORT, token=WRITE_TOKEN)
        reader = Address(host="127.0.0.1", port=PORT + 1, token=READ_TOKEN)
        return _together(leg, writer, reader, positions, seconds)


def _together(
    leg: Leg, writer: Target, reader: Target, positions: int, seconds: float
) -> tuple[float, float]:
    context = get_context("spawn")
    with context.Manager() as manager, context.Pool(leg.writers + leg.readers) as pool:
        start = manager.Barrier(leg.writers + leg.readers)
        jobs = [(part, leg.writers, positions, seconds) for part in range(leg.writers)]
        writing = [pool.apply_async(write, (writer, leg.kind, job, start)) for job in jobs]
        job = (0, 1, positions, seconds)
        reading = [
            pool.apply_async(read, (reader, leg.kind, job, start)) for _ in range(leg.readers)
        ]
        written = sum(one.get() for one in writing)
        return written / seconds, sum(one.get() for one in reading) / seconds


def _fill_sqlite(file: Path, positions: int) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        columns = ", ".join(STOCK_POSITION.names)
        database.execute(f"CREATE TABLE stock_position ({columns}, PRIMARY KEY (sku, place))")
    put = _sqlite_writer(file)
    put(rows(range(positions), 1))


def main() -> None:
    """Print the tables of docs/warehouse.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--positions", type=int, default=100_000)
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {leg.name: [] for leg in LEGS}
    for _ in range(options.runs):
        for leg in LEGS:
            with tempfile.TemporaryDirectory() as folder:
                measured = run(leg, Path(folder), options.positions, options.seconds)
                found[leg.name].append(measured)
    print("| | upserts/s | answers/s |\n|---|---|---|")
    for name, figures in found.items():
        rates = [statistics.median(one) for one in zip(*figures, strict=True)]
        print(f"| {name} | " + " | ".join(f"{rate:,.0f}" if rate else "" for rate in rates) + " |")
    with tempfile.TemporaryDirectory() as folder:
        ways(Path(folder), max(options.runs, 5))
        upkeep(Path(folder), 200_000)


if __name__ == "__main__":
    main()
