"""A warehouse file when it is opened: its tables, what they say of themselves, who may have it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from forks import forkserver
from position_rows import on_hand, position, put

from schemas.warehouse import TABLES, VIEWS
from sinks.warehouse.client import Warehouse, WarehouseError, open_reader


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "w.duckdb"


@pytest.fixture(name="warehouse")
def _warehouse(path: Path) -> Iterator[Warehouse]:
    with closing(Warehouse(path)) as warehouse:
        yield warehouse


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
