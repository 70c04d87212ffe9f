"""History goes when it is old, free blocks are given back, and a copy is of one moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from small_warehouse import NEWEST, alert, dead_letter, position, run_row
from warehouse_server import ServedWarehouse, content, rows_of

from schemas.reservation_tables import RESERVATION
from schemas.tables import Table
from schemas.warehouse import (
    DEAD_LETTER,
    FLOW_RUN,
    FLOW_RUN_PART,
    STOCK_ALERT,
    STOCK_POSITION,
    TABLES,
    TRANSFER_SUGGESTION,
)
from serving.upkeep import Upkeep
from sinks.warehouse.address import Target
from sinks.warehouse.client import Warehouse, WarehouseError, open_file
from sinks.warehouse.retention import RULES, kept_days, retain
from sinks.warehouse.upkeep import backup, compact, fold, size

NOW = datetime(2030, 1, 1, tzinfo=UTC)
OLD = timedelta(days=31)
YOUNG = timedelta(days=29)


@pytest.fixture(name="target", params=["file", "served"])
def _target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    if request.param == "file":
        return tmp_path / "w.duckdb"
    server: ServedWarehouse = request.getfixturevalue("server")
    return server.address


@pytest.fixture(name="warehouse")
def _warehouse(target: Target) -> Iterator[Warehouse]:
    with closing(Warehouse(target)) as warehouse:
        for table in (STOCK_POSITION, *(rule.table for rule in RULES)):
            warehouse.execute(f"DELETE FROM {table.name}")
        yield warehouse


def suggestion(name: str, version: int, status: str, age: timedelta) -> dict[str, Any]:
    blank = {"text": "", "integer": 0, "real": 0.0, "instant": NEWEST, "json": "[]", "bytes": b""}
    row = {column.name: blank[column.type] for column in TRANSFER_SUGGESTION.columns}
    told = {"suggestion": name, "version": version, "status": status, "updated_at": NEWEST - age}
    return row | told


def reservation(name: str, state: str, age: timedelta) -> dict[str, Any]:
    told = {"reservation": name, "sku": "TEA", "place": "S1", "state": state, "quantity": 1}
    blank = {"hold_seq": 0, "order": None, "channel": None, "expires_at": None, "version": 1}
    return told | blank | {"updated_at": NEWEST - age}


def fill(warehouse: Warehouse) -> None:
    """Of everything something that is old, something young, and something that never goes."""
    cleared = {"status": "cleared", "opened_at": NEWEST - timedelta(days=90)}
    run = run_row("new", updated_at=NOW - YOUNG, newest_event=NEWEST)
    part = {"part": 0}
    rows: list[tuple[Table, list[dict[str, Any]]]] = [
        (STOCK_POSITION, [position("TEA", "S1", 1, as_of=NEWEST)]),
        (
            STOCK_ALERT,
            [
                alert("oversell", "high", "TEA", "S1", 1, **cleared)
                | {"alert": "old", "cleared_at": NEWEST - OLD},
                alert("oversell", "high", "TEA", "S1", 1, **cleared)
                | {"alert": "young", "cleared_at": NEWEST - YOUNG},
                alert("oversell", "high", "TEA", "S1", 1, opened_at=NEWEST - OLD)
                | {"alert": "open"},
            ],
        ),
        (
            DEAD_LETTER,
            [
                dead_letter("not_json", 1, event_time=None),
                dead_letter("too_late", 2, event_time=NEWEST - OLD),
                dead_letter("not_json", 3, event_time=None),
                dead_letter("too_late", 4, event_time=NEWEST - YOUNG),
                dead_letter("not_json", 1, event_time=None, source="garbage.bin"),
            ],
        ),
        (
            TRANSFER_SUGGESTION,
            [
                suggestion("done", 1, "proposed", OLD * 2),
                suggestion("done", 2, "executed", OLD),
                suggestion("lately", 1, "proposed", OLD),
                suggestion("lately", 2, "expired", YOUNG),
                suggestion("on its way", 1, "shipped", OLD),
            ],
        ),
        (
            RESERVATION,
            [
                reservation("paid", "confirmed", OLD),
                reservation("lapsed", "expired", YOUNG),
                reservation("waits", "held", OLD),
            ],
        ),
        (
            FLOW_RUN,
            [
                run,
                run | {"run": "old", "status": "finished", "updated_at": NOW - OLD},
                run | {"run": "long", "status": "running", "updated_at": NOW - OLD},
            ],
        ),
        (
            FLOW_RUN_PART,
            [run | part | {"run": name, "updated_at": NOW - OLD} for name in ("old", "long")],
        ),
    ]
    for table, some in rows:
        warehouse.upsert(table, rows_of(table, *some))


def left(warehouse: Warehouse) -> dict[str, list[Any]]:
    asked = {
        "stock_alert": "alert",
        "dead_letter": "concat(source, ':', position)",
        "transfer_suggestion": "concat(suggestion, ' ', version)",
        "reservation": "reservation",
        "flow_run": "run",
        "flow_run_part": "run",
    }
    return {
        table: [row[0] for row in warehouse.execute(f"SELECT {what} FROM {table} ORDER BY 1")]
        for table, what in asked.items()
    }


EXPECTED = {
    "stock_alert": ["open", "young"],
    "dead_letter": ["events.jsonl:3", "events.jsonl:4", "garbage.bin:1"],
    "transfer_suggestion": ["lately 1", "lately 2", "on its way 1"],
    "reservation": ["lapsed", "waits"],
    "flow_run": ["long", "new"],
    "flow_run_part": ["long"],
}
REMOVED = {
    "stock_alert": 1,
    "dead_letter": 2,
    "transfer_suggestion": 2,
    "reservation": 1,
    "flow_run": 1,
    "flow_run_part": 1,
}


class TestRetention:
    @pytest.mark.parametrize("exported", [False, True])
    def test_what_goes_and_what_stays(
        self, warehouse: Warehouse, tmp_path: Path, exported: bool
    ) -> None:
        """Ages of events count from the newest of them, those of runs from now; twice is once."""
        fill(warehouse)
        before = {table: content(warehouse, table) for table in TABLES}
        export = tmp_path / "gone" if exported else None
        assert retain(warehouse, kept_days(30, {}), NOW, export) == REMOVED
        assert left(warehouse) == EXPECTED
        assert set(retain(warehouse, kept_days(30, {}), NOW, export).values()) == {0}
        if exported:
            for table in (rule.table for rule in RULES):
                [path] = (tmp_path / "gone").glob(f"*/{table.name}.parquet")
                gone = {tuple(row.values()) for row in pq.read_table(path).to_pylist()}
                assert gone | set(content(warehouse, table)) == set(before[table])

    def test_days_by_table(self, warehouse: Warehouse) -> None:
        """What is not named is kept for ever."""
        fill(warehouse)
        assert retain(warehouse, kept_days(None, {"stock_alert": 0}), NOW) == {"stock_alert": 2}
        assert retain(warehouse, kept_days(32, {"flow_run": 30}), NOW)["flow_run"] == 1
        with pytest.raises(WarehouseError, match="stock_position is no history"):
            kept_days(None, {"stock_position": 1})

    def test_nothing_read_yet(self, tmp_path: Path) -> None:
        with closing(Warehouse(tmp_path / "new.duckdb")) as warehouse:
            assert set(retain(warehouse, kept_days(0, {}), NOW).values()) == {0}

    def test_the_server_does_it_by_itself(self, tmp_path: Path) -> None:
        """Beside what it serves, as soon as it has started."""
        with closing(Warehouse(tmp_path / "served.duckdb")) as warehouse:
            fill(warehouse)
        options = ("--keep", "stock_alert=30", "--export", str(tmp_path / "gone"))
        with (
            ServedWarehouse(tmp_path, *options) as server,
            closing(Warehouse(server.address)) as warehouse,
        ):
            deadline = time.monotonic() + 60
            while left(warehouse)["stock_alert"] != ["open", "young"]:
                assert time.monotonic() < deadline, server.log
                time.sleep(0.05)
            assert len(list(tmp_path.glob("gone/*/stock_alert.parquet"))) == 1
            assert left(warehouse)["flow_run"] == ["long", "new", "old"]

    def test_a_folder_that_cannot_be_written(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is told, the server goes on, and nothing is removed."""
        path = tmp_path / "w.duckdb"
        (tmp_path / "gone").write_text("a file")
        with closing(open_file(path)) as connection:
            warehouse = Warehouse(path, connection=connection)
            fill(warehouse)
            Upkeep(connection, path, kept_days(0, {}), tmp_path / "gone", 60).tend()
            assert "history could not be removed this time" in caplog.text
            assert left(warehouse)["stock_alert"] == ["old", "open", "young"]


def crowd(warehouse: Warehouse, count: int, version: int) -> None:
    some = [position(f"K{n}", "S1", n, version=version) for n in range(count)]
    warehouse.upsert(STOCK_POSITION, rows_of(STOCK_POSITION, *some))


SCHEMA = (
    "SELECT table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns() "
    "WHERE NOT internal ORDER BY ALL"
)


class TestSpace:
    def test_compact(self, tmp_path: Path) -> None:
        """Smaller, with the same rows, keys, comments and views, and it goes on being written."""
        path = tmp_path / "w.duckdb"
        with closing(Warehouse(path)) as warehouse:
            fill(warehouse)
            crowd(warehouse, 40_000, 1)
            fold(warehouse)
            warehouse.execute("DELETE FROM stock_position WHERE sku LIKE 'K%'")
            fold(warehouse)
            assert size(warehouse).log == 0
            identity, schema = warehouse.identity, warehouse.execute(SCHEMA)
            before = {table: content(warehouse, table) for table in TABLES}
        was, now = compact(path)
        assert now < was
        with closing(Warehouse(path)) as warehouse:
            assert (warehouse.identity, warehouse.execute(SCHEMA)) == (identity, schema)
            assert {table: content(warehouse, table) for table in TABLES} == before
            crowd(warehouse, 1, 1)
            crowd(warehouse, 1, 2)
        assert [one.name for one in tmp_path.iterdir()] == ["w.duckdb"]

    def test_copy(self, target: Target, warehouse: Warehouse, tmp_path: Path) -> None:
        """Of a file, and of a served warehouse that is being written."""
        fill(warehouse)
        before = {table: content(warehouse, table) for table in TABLES}
        if not warehouse.is_served:
            warehouse.close()
        backup(target, tmp_path / "copy.duckdb")
        with closing(Warehouse(tmp_path / "copy.duckdb")) as copy:
            assert {table: content(copy, table) for table in TABLES} == before
        with pytest.raises(WarehouseError, match="is there already"):
            backup(target, tmp_path / "copy.duckdb")

    def test_copy_is_of_one_moment(self, server: ServedWarehouse, tmp_path: Path) -> None:
        """Position and alert are written together, so the copy has both of the same write."""
        enough = threading.Event()

        def write() -> None:
            with closing(Warehouse(server.address)) as own:
                version = 1
                while not enough.is_set():
                    version += 1
                    one = alert("oversell", "high", "TEA", "S1", version) | {"alert": "pair"}
                    with own.transaction():
                        row = position("PAIR", "S1", version, version=version)
                        own.upsert(STOCK_POSITION, rows_of(STOCK_POSITION, row))
                        own.upsert(STOCK_ALERT, rows_of(STOCK_ALERT, one))

        with closing(Warehouse(server.address)) as warehouse:
            warehouse.execute("DELETE FROM stock_position")
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(2):
                path = tmp_path / f"copy{number}.duckdb"
                backup(server.address, path)
                with closing(Warehouse(path)) as copy:
                    pair = copy.execute(
                        "SELECT (SELECT on_hand FROM stock_position WHERE sku = 'PAIR') = "
                        "(SELECT shortfall FROM stock_alert WHERE alert = 'pair')"
                    )
                    assert pair == [(True,)] or number == 0
        finally:
            enough.set()
            writer.join()
        with pytest.raises(WarehouseError, match="needs the port and the token of flows"):
            backup(server.reader, tmp_path / "denied.duckdb")
