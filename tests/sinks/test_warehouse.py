"""The DuckDB warehouse: how rows get into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from position_rows import on_hand, position, put, rows_of

from operators.stock.changes import Totals
from operators.stock.decode import BlockRead
from operators.stock.refusals import Refusal
from operators.stock.shard import StockOutcome
from schemas.instants import parse_instant
from schemas.warehouse import DEAD_LETTER, STOCK_ALERT, STOCK_POSITION
from sinks.warehouse.client import Warehouse, open_reader
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


def alert(name: str, observed: int = 0) -> tuple[Any, ...]:
    """A row of stock_alert, as the ledger makes it."""
    texts = ("stock_out", "raised", "high", "TEA", "S1")
    figures = (observed, 1, 2, 1 - observed)
    return (name, *texts, *figures, "[]", "[]", "do", NOON, NOON, None)


def refusal(position: int, code: str = "not_json") -> Refusal:
    return Refusal("a.jsonl", position, code, "why", None, None, None, b"raw")


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
