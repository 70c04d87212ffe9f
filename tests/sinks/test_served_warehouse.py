"""A served warehouse: the same as a file, for many writers and readers at the same moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC
from multiprocessing import get_context
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_warehouse import alert, dead_letter, position
from warehouse_server import ServedWarehouse

from operators.stock.decode import BlockRead
from operators.stock.ledger import Totals
from operators.stock.shard import StockOutcome
from schemas.tables import Table
from schemas.warehouse import DEAD_LETTER, STOCK_ALERT, STOCK_POSITION
from sinks.warehouse.address import Address
from sinks.warehouse.client import Warehouse, WarehouseError, open_reader
from sinks.warehouse.partition import SERVED_PARTITIONS, WarehouseSink
from sinks.warehouse.runs import Counts
from sinks.warehouse.writer import SERVED_ROWS, WarehouseWriter

WRITERS = 3
UNITS = 50


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedWarehouse]:
    with ServedWarehouse(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture(name="warehouse")
def _warehouse(server: ServedWarehouse) -> Iterator[Warehouse]:
    with closing(Warehouse(server.address)) as warehouse:
        for table in ("stock_position", "stock_alert", "dead_letter", "flow_run", "flow_run_part"):
            warehouse.execute(f"DELETE FROM {table}")
        yield warehouse


@pytest.fixture(scope="module", name="pair")
def _pair(
    server: ServedWarehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Warehouse, Warehouse]]:
    path = tmp_path_factory.mktemp("file") / "w.duckdb"
    with closing(Warehouse(path)) as file, closing(Warehouse(server.address)) as served:
        yield file, served


def rows_of(table: Table, *rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=table.arrow())


def content(warehouse: Warehouse, table: Table) -> list[tuple[Any, ...]]:
    return warehouse.execute(f"SELECT * FROM {table.name} ORDER BY ALL")


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
POSITIONS = st.builds(
    position,
    st.sampled_from(["TEA", "O'CLOCK", 'SAY "NO"', "茶 ;--", "a\\b\x00\n"]),
    st.sampled_from(["S1", "$1", "?"]),
    st.integers(-(2**40), 2**40),
    st.sampled_from([0.0, 0.1, 1 / 3, 1e-300, 5e15]),
    pool=TEXTS,
    version=st.integers(0, 4),
)
LETTERS = st.builds(
    dead_letter,
    st.just("not_json"),
    st.integers(1, 5),
    reason=TEXTS,
    raw=st.binary(max_size=20),
    event_time=st.none() | st.datetimes(timezones=st.just(UTC)),
)
STEPS = st.lists(
    st.tuples(st.just(STOCK_POSITION), st.lists(POSITIONS, max_size=4))
    | st.tuples(st.just(DEAD_LETTER), st.lists(LETTERS, max_size=3))
    | st.tuples(st.just(None), st.just([])),
    max_size=5,
)


class TestSameAsFile:
    @settings(max_examples=40, deadline=None)
    @given(STEPS)
    def test_any_writes(
        self,
        pair: tuple[Warehouse, Warehouse],
        steps: list[tuple[Table | None, list[dict[str, Any]]]],
    ) -> None:
        """Whatever is written, in transactions that fail or not, both hold the same rows."""
        found = []
        for one in pair:
            for table in (STOCK_POSITION, DEAD_LETTER):
                one.execute(f"DELETE FROM {table.name}")
            with suppress(ZeroDivisionError), one.transaction():
                for table, rows in steps:
                    if table is None:
                        raise ZeroDivisionError
                    one.upsert(table, rows_of(table, *rows), several=True)
            first = content(one, STOCK_POSITION)
            for table, rows in steps:
                if table is not None:
                    one.upsert(table, rows_of(table, *rows), several=True)
            found.append((first, content(one, STOCK_POSITION), content(one, DEAD_LETTER)))
        assert found[0] == found[1]

    def test_delete(self, warehouse: Warehouse) -> None:
        names = ["a", "b'", "c"]
        alerts = [alert("oversell", "high", "TEA", "S1", 1) | {"alert": name} for name in names]
        warehouse.upsert(STOCK_ALERT, rows_of(STOCK_ALERT, *alerts))
        with warehouse.transaction():
            warehouse.delete(STOCK_ALERT, ["a", "b'", "never"])
        warehouse.delete(STOCK_ALERT, [])
        assert warehouse.execute("SELECT alert FROM stock_alert") == [("c",)]

    def test_what_the_database_refuses(self, warehouse: Warehouse) -> None:
        """Nothing of the transaction is there, and the next one works."""
        wrong = alert("oversell", "high", "TEA", "S1", 1) | {"claims": "no json"}

        def fail() -> None:
            with warehouse.transaction():
                warehouse.upsert(STOCK_POSITION, rows_of(STOCK_POSITION, position("TEA", "S1", 1)))
                warehouse.upsert(STOCK_ALERT, rows_of(STOCK_ALERT, wrong))

        with pytest.raises(duckdb.Error, match=r"(?i)json"):
            fail()
        assert content(warehouse, STOCK_POSITION) == []
        warehouse.upsert(STOCK_POSITION, rows_of(STOCK_POSITION, position("TEA", "S1", 1)))
        assert len(content(warehouse, STOCK_POSITION)) == 1

    def test_no_answers_inside_a_transaction(self, warehouse: Warehouse) -> None:
        """It is sent as a whole when it ends; asking before that is an error."""
        with warehouse.transaction(), pytest.raises(WarehouseError, match="before it ends"):
            warehouse.execute("SELECT 1")

    def test_identity_is_that_of_the_file(self, tmp_path: Path) -> None:
        with closing(Warehouse(tmp_path / "served.duckdb")) as file:
            identity = file.identity
        with ServedWarehouse(tmp_path) as server:
            with closing(Warehouse(server.address)) as served:
                assert served.identity == identity
            assert server.stop() == 0
        assert not server.file.with_name("served.duckdb.wal").exists()


def outcome(*positions: dict[str, Any], **parts: Any) -> StockOutcome:
    nothing: dict[str, list[Any]] = {"alerts": [], "withdrawn": [], "refusals": []}
    columns = [[row[name] for row in positions] for name in STOCK_POSITION.names]
    return StockOutcome(**({"positions": columns, "totals": Totals()} | nothing | parts))


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
        context = get_context("forkserver")
        ready = [context.Event() for _ in range(WRITERS)]
        enough = context.Event()
        for part in range(WRITERS):
            start = [position(f"{side}{part}", "S1", UNITS, version=1) for side in "LR"]
            warehouse.upsert(STOCK_POSITION, rows_of(STOCK_POSITION, *start))
        writers = [
            context.Process(target=shift_units, args=(server.address, part, ready[part], enough))
            for part in range(WRITERS)
        ]
        for one in writers:
            one.start()
        reads = 0
        with closing(open_reader(server.reader, patience=30)) as dashboard:
            for number in range(2):
                assert all(one.wait(60) for one in ready)
                until = time.monotonic() + 1
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
            assert reads > 10
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
