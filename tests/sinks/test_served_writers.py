"""Many writers and readers of a served warehouse at the same moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from typing import Any

import pytest
from forks import forkserver
from small_warehouse import position
from warehouse_server import ServedWarehouse, content, rows_of

from operators.stock.changes import Totals
from operators.stock.decode import BlockRead
from operators.stock.shard import StockOutcome
from schemas.warehouse import STOCK_POSITION
from sinks.warehouse.address import Address
from sinks.warehouse.client import Warehouse, WarehouseError, open_reader
from sinks.warehouse.partition import SERVED_PARTITIONS, WarehouseSink
from sinks.warehouse.runs import Counts
from sinks.warehouse.writer import SERVED_ROWS, WarehouseWriter

WRITERS = 2
UNITS = 50


@pytest.fixture(name="warehouse")
def _warehouse(server: ServedWarehouse) -> Iterator[Warehouse]:
    with closing(Warehouse(server.address)) as warehouse:
        for table in ("stock_position", "stock_alert", "dead_letter", "flow_run", "flow_run_part"):
            warehouse.execute(f"DELETE FROM {table}")
        yield warehouse


def outcome(*positions: dict[str, Any]) -> StockOutcome:
    columns = [[row[name] for row in positions] for name in STOCK_POSITION.names]
    return StockOutcome(columns, [], [], [], Totals())


def stocked(sku: str, on_hand: int, version: int) -> dict[str, Any]:
    row = position(sku, "S1", on_hand, version=version)
    return row | {"as_of": int(row["as_of"].timestamp() * 1e6)}


def shift_units(address: Address, part: int, ready: Signal, enough: Signal) -> None:
    """Move units to and fro between two SKUs; in each transaction as many leave as arrive."""
    writer = WarehouseWriter(address, "stock", "shared", "test", part=part)
    ready.set()
    version = 1
    while not enough.is_set() or version < UNITS:
        version += 1
        moved = version % UNITS
        writer.add_read(1, 2, 0, None)
        writer.add(outcome(stocked(f"L{part}", UNITS - moved, version)))
        writer.add(outcome(stocked(f"R{part}", UNITS + moved, version)))
        writer.settle()
    writer.close("finished")


class TestAtTheSameMoment:
    def test_readers_never_see_half_and_nothing_is_lost(
        self, server: ServedWarehouse, warehouse: Warehouse
    ) -> None:
        """Processes write, a dashboard reads, the server is killed and comes back."""
        context = forkserver()
        ready = [context.Event() for _ in range(WRITERS)]
        enough = context.Event()
        for part in range(WRITERS):
            start = [position(f"{side}{part}", "S1", UNITS, version=1) for side in "LR"]
            warehouse.upsert(STOCK_POSITION, rows_of(STOCK_POSITION, *start))
        writers = [
            context.Process(
                target=shift_units, args=(server.address, part, ready[part], enough), daemon=True
            )
            for part in range(WRITERS)
        ]
        for one in writers:
            one.start()
        reads = 0
        with closing(open_reader(server.reader, patience=30)) as dashboard:
            for number in range(2):
                assert all(one.wait(60) for one in ready)
                until = time.monotonic() + 0.5
                while time.monotonic() < until:
                    found = dashboard.execute(
                        "SELECT count(*), sum(on_hand), count(DISTINCT version) FROM stock_position"
                    ).fetchall()[0]
                    # At most one version a writer: both of its rows are always of the same write.
                    assert found[:2] == (2 * WRITERS, 2 * WRITERS * UNITS)
                    assert found[2] <= WRITERS
                    reads += 1
                if number == 0:
                    server.kill()
                    server.start()
            enough.set()
            for one in writers:
                one.join(60)
            assert [one.exitcode for one in writers] == [0] * WRITERS
            assert reads > 2
            diary = "SELECT lines, events, positions, status FROM flow_run WHERE run = 'shared'"
            [(lines, events, positions, status)] = dashboard.execute(diary).fetchall()
            last = dashboard.execute("SELECT sku, version FROM stock_position").fetchall()
        versions = dict(last)
        assert all(versions[f"L{part}"] == versions[f"R{part}"] for part in range(WRITERS))
        written = sum(version - 1 for sku, version in last if sku.startswith("L"))
        assert (lines, events, positions, status) == (written, 2 * written, 2 * written, "finished")

    def test_a_server_that_stays_away_is_an_error_in_words(self, tmp_path: Path) -> None:
        rows = rows_of(STOCK_POSITION, position("TEA", "S1", 1))
        with (
            ServedWarehouse(tmp_path) as server,
            closing(Warehouse(server.address, patience=0.2)) as warehouse,
        ):
            server.kill()
            with pytest.raises(WarehouseError, match=r"no warehouse is served at quack://127"):
                warehouse.upsert(STOCK_POSITION, rows)
            server.start()
            warehouse.upsert(STOCK_POSITION, rows)
            assert len(content(warehouse, STOCK_POSITION)) == 1

    def test_writers_of_the_same_row_wait_for_each_other(
        self, server: ServedWarehouse, warehouse: Warehouse
    ) -> None:
        """Who comes second sends its transaction again, so none of them is lost or doubled."""
        warehouse.upsert(STOCK_POSITION, rows_of(STOCK_POSITION, position("TEA", "S1", 0)))

        def write(first: int) -> None:
            with closing(Warehouse(server.address)) as own:
                for version in range(first, 60, 4):
                    with own.transaction():
                        row = position("TEA", "S1", version, version=version)
                        own.upsert(STOCK_POSITION, rows_of(STOCK_POSITION, row))

        threads = [threading.Thread(target=write, args=(first,)) for first in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert warehouse.execute("SELECT on_hand, version FROM stock_position") == [(59, 59)]


class TestWriters:
    def test_counts_of_parts_add_up(self, server: ServedWarehouse, warehouse: Warehouse) -> None:
        """One row a run, whatever was written twice; the run goes on while a part does."""
        writers = [
            WarehouseWriter(server.address, "stock", "run", "s", part=part) for part in range(3)
        ]
        for number, writer in enumerate(writers[:2]):
            writer.add_read(10, 8 + number, 2 - number, 1_000_000 * (1 + number))
            writer.settle()
            writer.settle()
        writers[2].add(outcome(stocked("TEA", 1, 1)))
        writers[2].settle()
        ask = (
            "SELECT status, lines, events, others, positions, epoch_us(newest_event) FROM flow_run"
        )
        assert warehouse.execute(ask) == [("running", 20, 17, 3, 1, 2_000_000)]
        writers[0].close("stopped")
        assert warehouse.execute(ask)[0][0] == "running"
        for writer in writers[1:]:
            writer.close("finished")
        assert warehouse.execute(ask) == [("stopped", 20, 17, 3, 1, 2_000_000)]

    def test_more_than_one_message_holds(
        self, server: ServedWarehouse, warehouse: Warehouse
    ) -> None:
        """Several rows of a key on both sides of a boundary keep their order."""
        writer = WarehouseWriter(server.address, "stock", "run", "s", part=0)
        writer.add_read(1, 1, 0, None)
        row = stocked("TEA", 0, 1)
        for first in (0, 700):
            count = SERVED_ROWS // 2 + 500
            rows = [row | {"sku": f"K{n % 9000}", "on_hand": first + n} for n in range(count)]
            writer.add(outcome(*rows))
        writer.close("finished")
        found = dict(warehouse.execute("SELECT sku, on_hand FROM stock_position"))
        expected = {f"K{n % 9000}": 700 + n for n in range(SERVED_ROWS // 2 + 500)}
        assert found == expected

    def test_partitions_of_a_served_warehouse(
        self, server: ServedWarehouse, warehouse: Warehouse
    ) -> None:
        """Each with its own connection; a key always goes to the same; counts are told as one."""
        told: list[Counts] = []
        sink = WarehouseSink(
            server.address,
            flow="stock",
            run="r",
            source="s",
            ended=lambda: "finished",
            report=told.append,
        )
        names = sink.list_parts()
        assert names[0] == "warehouse"
        assert len(names) == SERVED_PARTITIONS
        keys = [f"{shard:02d}" for shard in range(16)] + ["read"]
        assert {sink.part_fn(key) % SERVED_PARTITIONS for key in keys} == set(
            range(SERVED_PARTITIONS)
        )
        parts = [sink.build_part("warehouse", name, None) for name in names]
        parts[0].write_batch([BlockRead(4, 3, 1, None)])
        parts[1].write_batch([outcome(stocked("TEA", 5, 1))])
        for part in parts:
            part.snapshot()
            part.close()
        assert told[-1].lines == 4
        assert told[-1].positions == 1
        assert warehouse.execute("SELECT status, lines, positions FROM flow_run") == [
            ("finished", 4, 1)
        ]
