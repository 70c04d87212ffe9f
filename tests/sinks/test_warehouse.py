"""The DuckDB warehouse: what its tables say of themselves, and how rows get into them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from forks import forkserver

from operators.stock.changes import Totals
from operators.stock.decode import BlockRead
from operators.stock.refusals import Refusal
from operators.stock.shard import StockOutcome
from schemas.instants import parse_instant
from schemas.tables import Table
from schemas.warehouse import DEAD_LETTER, STOCK_ALERT, STOCK_POSITION, TABLES, VIEWS
from sinks.warehouse.client import Warehouse, WarehouseError, open_reader
from sinks.warehouse.partition import PARTITION, WarehouseSink
from sinks.warehouse.rows import alert_rows, dead_letter_rows, position_rows
from sinks.warehouse.writer import WarehouseWriter

NOON = parse_instant("2026-11-23T12:00:00+08:00")


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "w.duckdb"


@pytest.fixture(name="warehouse")
def _warehouse(path: Path) -> Iterator[Warehouse]:
    with closing(Warehouse(path)) as warehouse:
        yield warehouse


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


def alert(name: str, observed: int = 0) -> tuple[Any, ...]:
    """A row of stock_alert, as the ledger makes it."""
    texts = ("stock_out", "raised", "high", "TEA", "S1")
    figures = (observed, 1, 2, 1 - observed)
    return (name, *texts, *figures, "[]", "[]", "do", NOON, NOON, None)


def refusal(position: int, code: str = "not_json") -> Refusal:
    return Refusal("a.jsonl", position, code, "why", None, None, None, b"raw")


def rows_of(table: Table, *rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=table.arrow())


def put(warehouse: Warehouse, *rows: dict[str, Any], several: bool = False) -> None:
    warehouse.upsert(STOCK_POSITION, rows_of(STOCK_POSITION, *rows), several=several)


def on_hand(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.execute("SELECT sku, on_hand, version FROM stock_position ORDER BY sku")


class TestContract:
    def test_every_column_is_explained(self, warehouse: Warehouse) -> None:
        """Tables, views and all their columns carry a comment; units stand in brackets."""
        for kind in ("tables", "views"):
            found = warehouse.execute(
                f"SELECT {kind[:-1]}_name, comment FROM duckdb_{kind}() WHERE NOT internal"
            )
            wanted = {one.name: one.comment for one in (TABLES if kind == "tables" else VIEWS)}
            assert dict(found) == wanted
            assert all(wanted.values())
        columns = warehouse.execute(
            "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
        )
        assert [column for column in columns if not column[2]] == []
        comments = {column[:2]: column[2] for column in columns}
        assert comments["stock_position", "on_hand"].endswith("[units]")
        assert comments["stock_pool", "demand_rate"].endswith("[units a day]")

    def test_every_table_has_its_key(self, warehouse: Warehouse) -> None:
        """Each has a primary key, and a version or a time of its last change beside it."""
        found = warehouse.execute(
            "SELECT table_name, constraint_column_names FROM duckdb_constraints() "
            "WHERE constraint_type = 'PRIMARY KEY'"
        )
        assert {name: tuple(key) for name, key in found} == {
            table.name: table.primary_key for table in TABLES
        }
        for table in TABLES:
            assert {"version", "updated_at", "value"} & set(table.names), table.name

    def test_columns_are_those_of_the_contract(self, warehouse: Warehouse) -> None:
        """Names, order and whether a value may be missing."""
        found = warehouse.execute(
            "SELECT table_name, column_name, is_nullable FROM duckdb_columns() "
            "WHERE table_oid IN (SELECT table_oid FROM duckdb_tables()) "
            "ORDER BY table_name, column_index"
        )
        assert found == [
            (table.name, column.name, column.nullable)
            for table in sorted(TABLES, key=lambda table: table.name)
            for column in table.columns
        ]

    def test_opened_again(self, path: Path) -> None:
        """The second opening changes nothing: rows and identity stay."""
        with closing(Warehouse(path)) as warehouse:
            put(warehouse, position(on_hand=7))
            identity = warehouse.identity
        with closing(Warehouse(path)) as warehouse:
            assert on_hand(warehouse) == [("TEA", 7, 1)]
            assert warehouse.identity == identity
        with closing(Warehouse(path.with_name("other.duckdb"))) as other:
            assert other.identity != identity

    @pytest.mark.parametrize(
        "damage",
        [
            "DROP TABLE stock_position",
            "DROP VIEW stock_pool",
            # What a tillflow whose tables said something else, or nothing, leaves behind.
            "UPDATE warehouse_info SET value = 'older' WHERE name = 'layout'; "
            "COMMENT ON COLUMN dead_letter.raw IS NULL",
            "DELETE FROM warehouse_info WHERE name = 'layout'; COMMENT ON TABLE flow_run IS NULL",
        ],
    )
    def test_opening_mends_what_is_missing(self, path: Path, damage: str) -> None:
        def said(warehouse: Warehouse) -> list[tuple[Any, ...]]:
            return warehouse.execute(
                "SELECT table_name, column_name, comment FROM duckdb_columns() UNION ALL "
                "SELECT table_name, '', comment FROM duckdb_tables() ORDER BY ALL"
            )

        with closing(Warehouse(path)) as warehouse:
            identity, wanted = warehouse.identity, said(warehouse)
            warehouse.write(damage)
            assert said(warehouse) != wanted
        with closing(Warehouse(path)) as warehouse:
            assert (warehouse.identity, said(warehouse)) == (identity, wanted)


class TestUpsert:
    def test_larger_version_wins(self, warehouse: Warehouse) -> None:
        """The same version writes again, as after a replay; a smaller one changes nothing."""
        put(warehouse, position(version=5, on_hand=50), position("CUP", version=1, on_hand=1))
        put(warehouse, position(version=4, on_hand=40), position("CUP", version=2, on_hand=2))
        assert on_hand(warehouse) == [("CUP", 2, 2), ("TEA", 50, 5)]
        put(warehouse, position(version=5, on_hand=51))
        assert on_hand(warehouse)[1] == ("TEA", 51, 5)

    def test_several_rows_of_one_key(self, warehouse: Warehouse) -> None:
        """The last of the largest version counts, wherever it stands."""
        rows = [
            position(version=2, on_hand=1),
            position(version=3, on_hand=2),
            position("CUP", version=9, on_hand=3),
            position(version=3, on_hand=4),
            position(version=1, on_hand=5),
        ]
        put(warehouse, *rows, several=True)
        assert on_hand(warehouse) == [("CUP", 3, 9), ("TEA", 4, 3)]
        put(warehouse, *rows[:1], *rows[:1], several=True)
        assert on_hand(warehouse) == [("CUP", 3, 9), ("TEA", 4, 3)]

    def test_last_of_many_rows_of_one_version(self, warehouse: Warehouse) -> None:
        """Their order is kept also where there are more than the database takes at a time."""
        rows = [position(f"K{number % 7}", on_hand=number) for number in range(21_000)]
        put(warehouse, *rows, several=True)
        assert on_hand(warehouse) == [(f"K{number}", 20_993 + number, 1) for number in range(7)]

    def test_without_a_version_the_last_one_wins(self, warehouse: Warehouse) -> None:
        """Alerts come one row an alert, and replace what is there."""
        warehouse.upsert(STOCK_ALERT, alert_rows([alert("a", 0), alert("b", -1)]))
        warehouse.upsert(STOCK_ALERT, alert_rows([alert("a", -3)]))
        found = warehouse.execute("SELECT alert, observed FROM stock_alert ORDER BY 1")
        assert found == [("a", -3), ("b", -1)]

    def test_nothing_to_write(self, warehouse: Warehouse) -> None:
        """Empty batches are no statement at all."""
        warehouse.upsert(STOCK_ALERT, alert_rows([]))
        warehouse.upsert(DEAD_LETTER, dead_letter_rows([]))
        put(warehouse)
        assert on_hand(warehouse) == []

    def test_missing_value_is_refused(self, warehouse: Warehouse) -> None:
        """Only what the contract says may be empty may be empty."""
        rows = rows_of(STOCK_POSITION, position(days_of_cover=None))
        warehouse.upsert(STOCK_POSITION, rows)
        nullable = pa.schema([field.with_nullable(True) for field in STOCK_POSITION.arrow()])
        broken = pa.Table.from_pylist([position("CUP", on_hand=None)], schema=nullable)
        with pytest.raises(duckdb.ConstraintException, match="NOT NULL"):
            warehouse.upsert(STOCK_POSITION, broken)

    def test_delete(self, warehouse: Warehouse) -> None:
        """By key; what is not there need not be."""
        warehouse.upsert(STOCK_ALERT, alert_rows([alert("a"), alert("b"), alert("c'")]))
        warehouse.delete(STOCK_ALERT, ["a", "c'", "never"])
        assert warehouse.execute("SELECT alert FROM stock_alert") == [("b",)]

    def test_all_or_nothing(self, warehouse: Warehouse) -> None:
        """What fails in the middle of a transaction leaves nothing, and the next one works."""
        put(warehouse, position(on_hand=1))

        def fail() -> None:
            with warehouse.transaction():
                put(warehouse, position(version=2, on_hand=2), position("CUP"))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert on_hand(warehouse) == [("TEA", 1, 1)]
        with warehouse.transaction():
            put(warehouse, position(version=2, on_hand=2))
        assert on_hand(warehouse) == [("TEA", 2, 2)]


class TestRows:
    def test_positions_by_column(self) -> None:
        """Instants are microseconds in the ledger and instants in the row."""
        row = position(as_of=NOON, on_hand=3)
        [found] = position_rows([[row[name]] for name in STOCK_POSITION.names]).to_pylist()
        assert found == row | {"as_of": datetime(2026, 11, 23, 4, tzinfo=UTC)}

    def test_last_refusal_of_a_line_counts(self) -> None:
        """A line has one dead letter."""
        refusals = [refusal(1), refusal(2), refusal(1, "invalid_event")]
        found = dead_letter_rows(refusals).to_pylist()
        assert [(row["position"], row["reason_code"]) for row in found] == [
            (1, "invalid_event"),
            (2, "not_json"),
        ]


class TestPool:
    def test_a_short_place_takes_nothing_from_another(self, warehouse: Warehouse) -> None:
        """What one place lacks is said beside what the others can still promise."""
        put(
            warehouse,
            position(place="S1", on_hand=5, available=5, demand_rate=2.0),
            position(place="S2", on_hand=-3, available=-4, allocated=1, version=3),
            position(place="S3", on_hand=2, available=2, demand_rate=0.5),
            position(place="S4", pool="north", available=-1),
            position("CUP", available=9),
        )
        found = warehouse.execute(
            "SELECT sku, pool, places, on_hand, allocated, available, short, days_of_cover, "
            "version FROM stock_pool ORDER BY sku, pool"
        )
        assert found == [
            ("CUP", "all", 1, 0, 0, 9, 0, None, 1),
            ("TEA", "all", 3, 4, 1, 7, 4, 2.8, 5),
            ("TEA", "north", 1, 0, 0, 0, 1, None, 1),
        ]


class TestWriter:
    def outcome(self, **parts: Any) -> StockOutcome:
        nothing: dict[str, list[Any]] = {
            "positions": [],
            "alerts": [],
            "withdrawn": [],
            "refusals": [],
        }
        return StockOutcome(**(nothing | {"totals": Totals()} | parts))

    def columns(self, *rows: dict[str, Any]) -> list[list[Any]]:
        return [[row[name] for row in rows] for name in STOCK_POSITION.names]

    def test_rows_are_durable_once_settled(self, path: Path) -> None:
        """Positions by version over several outcomes, alerts and dead letters, and the diary."""
        reports: list[int] = []
        writer = WarehouseWriter(
            path, "stock", "run-1", "a.jsonl", lambda c: reports.append(c.lines)
        )
        writer.add_read(10, 9, 1, NOON)
        for version in (2, 1):
            row = position(version=version, as_of=NOON, on_hand=version)
            writer.add(self.outcome(positions=self.columns(row)))
        writer.add(self.outcome(alerts=[alert("a", -1)], refusals=[refusal(3)]))
        writer.settle()
        assert reports == [10]
        writer.settle()
        assert reports == [10]
        writer.close("finished")
        with closing(open_reader(path)) as reader:
            assert reader.execute("SELECT on_hand FROM stock_position").fetchall() == [(2,)]
            assert reader.execute("SELECT position FROM dead_letter").fetchall() == [(3,)]
            diary = "SELECT run, status, lines, events, others, dead_letters, positions, "
            assert reader.execute(f"{diary} newest_event FROM flow_run").fetchall() == [
                ("run-1", "finished", 10, 9, 1, 1, 2, datetime(2026, 11, 23, 4, tzinfo=UTC))
            ]

    def test_withdrawn_and_raised_again(self, path: Path) -> None:
        """The last word on an alert counts, also within one write and over two of them."""
        writer = WarehouseWriter(path, "stock", "run-1", "a.jsonl")
        writer.add_read(1, 1, 0, None)
        writer.add(self.outcome(alerts=[alert("a"), alert("b"), alert("c")]))
        writer.add(self.outcome(withdrawn=["a"]))
        writer.settle()
        writer.add(self.outcome(withdrawn=["b", "c"]))
        writer.add(self.outcome(alerts=[alert("c", -5)]))
        writer.close("finished")
        with closing(open_reader(path)) as reader:
            assert reader.execute("SELECT alert, observed FROM stock_alert").fetchall() == [
                ("c", -5)
            ]

    def test_run_without_lines_leaves_no_trace(self, path: Path) -> None:
        """What found nothing to read is not in the diary."""
        WarehouseWriter(path, "stock", "run-1", "a.jsonl").close("finished")
        with closing(open_reader(path)) as reader:
            assert reader.execute("FROM flow_run").fetchall() == []

    def test_failure_of_the_database_comes_out(self, path: Path) -> None:
        """It is raised where the epoch would be committed, so that it is not."""
        writer = WarehouseWriter(path, "stock", "run-1", "a.jsonl")
        broken = alert("a")
        writer.add(self.outcome(alerts=[(*broken[:10], "no json", *broken[11:])]))
        with pytest.raises(duckdb.Error, match=r"(?i)json"):
            writer.settle()
        writer.close("interrupted")

    def test_partition_ends_with_what_it_is_told(self, path: Path) -> None:
        """One fixed partition, everything goes to it, and its end is in the diary."""
        sink = WarehouseSink(path, flow="stock", run="r", source="s", ended=lambda: "stopped")
        assert sink.list_parts() == [PARTITION] == ["warehouse"]
        assert {sink.part_fn(key) for key in ("00", "15", "read")} == {0}
        part = sink.build_part("warehouse", PARTITION, None)
        part.write_batch([BlockRead(4, 3, 1, None), self.outcome(refusals=[refusal(1)])])
        part.snapshot()
        part.close()
        with closing(open_reader(path)) as reader:
            found = reader.execute("SELECT status, lines, dead_letters FROM flow_run").fetchall()
            assert found == [("stopped", 4, 1)]


class TestOpening:
    def test_reader_of_nothing(self, path: Path) -> None:
        """The message says which command makes a warehouse."""
        with pytest.raises(WarehouseError, match=f"no warehouse at {path}: run a flow first"):
            open_reader(path)

    def test_reader_only_reads(self, path: Path) -> None:
        """Nobody writes around a flow."""
        Warehouse(path).close()
        with closing(open_reader(path)) as reader:
            with pytest.raises(duckdb.InvalidInputException, match="read-only"):
                reader.execute("DELETE FROM stock_position")
            assert reader.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)

    def test_no_database(self, path: Path) -> None:
        """A file of something else."""
        path.write_text(json.dumps({"not": "a database"}))
        for open_it in (Warehouse, open_reader):
            with pytest.raises(WarehouseError, match="cannot be used as a warehouse"):
                open_it(path)

    def test_held_by_another_process(self, path: Path) -> None:
        """Writing there shuts out writers and readers here, and the message says so."""
        context = forkserver()
        opened, enough = context.Event(), context.Event()
        holder = context.Process(target=hold, args=(path, opened, enough))
        holder.start()
        try:
            assert opened.wait(60)
            for open_it in (Warehouse, open_reader):
                with pytest.raises(WarehouseError, match="is open in another process"):
                    open_it(path)
        finally:
            enough.set()
            holder.join(60)


def hold(path: Path, opened: Signal, enough: Signal) -> None:
    """Keep the warehouse open for a while."""
    with closing(Warehouse(path)):
        opened.set()
        enough.wait(60)
