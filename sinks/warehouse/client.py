"""Opens a DuckDB warehouse and upserts rows into its tables."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from schemas.tables import Table, quoted
from schemas.warehouse import TABLES, VIEWS, WAREHOUSE_INFO

# The engine's Python keeps one core busy; a second thread lets large upserts use the other.
THREADS = 2


class WarehouseError(Exception):
    """The warehouse file cannot be used; the message says why and what to do."""


class Warehouse:
    """A warehouse file opened for writing. Use it from one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it and its tables where they are not there.

        Raises:
            WarehouseError: another process has it, or it is no DuckDB file.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = _connect(path, read_only=False)
        self._connection.execute(f"SET threads = {THREADS}")
        # Instants are shown in UTC whatever the machine's own zone is.
        self._connection.execute("SET TimeZone = 'UTC'")
        for statement in _ddl():
            self._connection.execute(statement)
        self._connection.execute(
            f"INSERT INTO {WAREHOUSE_INFO.name} VALUES ('warehouse', ?) ON CONFLICT DO NOTHING",
            [uuid.uuid4().hex],
        )

    @property
    def identity(self) -> str:
        """An id that this file keeps for ever: the recovery folder remembers whose it is."""
        row = self._connection.execute(
            f"SELECT value FROM {WAREHOUSE_INFO.name} WHERE name = 'warehouse'"
        ).fetchone()
        assert row is not None
        return str(row[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside becomes visible at once, or not at all."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def upsert(self, table: Table, rows: pa.Table, *, several: bool = False) -> None:
        """Write rows of `table`; a row whose version is smaller than what is there is left out.

        `several`: there may be several rows of one key, in the order they were made; the last one
        of the largest version counts. (Otherwise that would be an error of the database.)
        """
        if not rows.num_rows:
            return
        name = quoted(table.name)
        key = ", ".join(quoted(column) for column in table.primary_key)
        others = [column for column in table.names if column not in table.primary_key]
        sets = ", ".join(f"{quoted(column)} = excluded.{quoted(column)}" for column in others)
        newer = ""
        if table.version is not None:
            version = quoted(table.version)
            newer = f" WHERE excluded.{version} >= {name}.{version}"
        columns = ", ".join(quoted(column) for column in table.names)
        incoming = "incoming"
        if several:
            order = "".join(f"{quoted(column)} DESC, " for column in (table.version,) if column)
            incoming = (
                "(SELECT *, row_number() OVER () AS made FROM incoming) QUALIFY "
                f"row_number() OVER (PARTITION BY {key} ORDER BY {order}made DESC) = 1"
            )
        self._connection.register("incoming", rows)
        try:
            self._connection.execute(
                f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {incoming} "
                f"ON CONFLICT ({key}) DO UPDATE SET {sets}{newer}"
            )
        finally:
            self._connection.unregister("incoming")

    def delete(self, table: Table, keys: Sequence[str]) -> None:
        """Delete rows of a table with a single key column."""
        (key,) = table.primary_key
        self._connection.execute(
            f"DELETE FROM {quoted(table.name)} WHERE {quoted(key)} IN (SELECT unnest(?))",
            [list(keys)],
        )

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and fetch what it answers."""
        return self._connection.execute(sql, list(parameters)).fetchall()

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        self._connection.close()


def open_reader(path: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection, for when no flow is writing.

    Raises:
        WarehouseError: the file is not there, or a process is writing it.
    """
    if not path.exists():
        msg = f"no warehouse at {path}: run a flow first (tillflow run stock --warehouse {path} …)"
        raise WarehouseError(msg)
    connection = _connect(path, read_only=True)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as wrong:
        first = str(wrong).partition("\n")[0]
        if "lock" in first.lower():
            msg = (
                f"{path} is open in another process, and DuckDB lets one process own a file: "
                f"stop that one first ({first})"
            )
        else:
            msg = f"{path} cannot be used as a warehouse: {first}"
        raise WarehouseError(msg) from wrong


def _ddl() -> list[str]:
    tables = [statement for table in TABLES for statement in table.ddl()]
    return tables + [statement for view in VIEWS for statement in view.ddl()]
