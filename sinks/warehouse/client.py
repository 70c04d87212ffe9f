"""Opens a warehouse, a file or a served one, and upserts rows into its tables."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from schemas.tables import Table, quoted
from schemas.warehouse import TABLES, VIEWS, WAREHOUSE_INFO
from sinks.warehouse import statements
from sinks.warehouse.address import Address, Target, WarehouseError, parse_target
from sinks.warehouse.served import PATIENCE_SECONDS, ServedConnection

__all__ = ["Reader", "Warehouse", "WarehouseError", "open_reader"]

# The engine's Python keeps one core busy; a second thread lets large upserts use the other.
THREADS = 2
READER_PATIENCE_SECONDS = 5.0


class Reader(Protocol):
    """What a dashboard asks with: a connection to a file, or to a served warehouse."""

    def execute(self, query: str, parameters: object = ..., /) -> duckdb.DuckDBPyConnection:
        """Ask; the answer is fetched from what this returns."""

    def close(self) -> None:
        """Let go of the warehouse."""


class Warehouse:
    """A warehouse opened for writing. Use it from one thread at a time."""

    def __init__(
        self,
        target: Target,
        *,
        patience: float = PATIENCE_SECONDS,
        connection: duckdb.DuckDBPyConnection | None = None,
    ) -> None:
        """Open it; a file is made with its tables where they are not there.

        `patience`: how long a served warehouse may be away, in seconds, before that is an error.
        `connection`: one that is open already, for the process that owns the file.

        Raises:
            WarehouseError: another process has the file, it is no DuckDB file, nothing is served
                at the address, or its token is refused.
        """
        self.target = parse_target(target)
        self._file: duckdb.DuckDBPyConnection | None = None
        self._served: ServedConnection | None = None
        # Statements of the transaction that is being put together, for a served warehouse.
        self._pending: list[str] | None = None
        if isinstance(self.target, Address):
            self._served = ServedConnection(self.target, patience=patience)
            self._check_tables(self.target)
        else:
            self._file = connection or open_file(self.target)

    @property
    def is_served(self) -> bool:
        """Whether a server owns it, so that others can write and read at the same time."""
        return self._served is not None

    @property
    def identity(self) -> str:
        """An id that this warehouse keeps for ever: the recovery folder remembers whose it is."""
        [(value,)] = self.execute(
            f"SELECT value FROM {WAREHOUSE_INFO.name} WHERE name = 'warehouse'"
        )
        return str(value)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside becomes visible at once, or not at all."""
        if self._served is not None:
            self._pending = []
            try:
                yield
                if self._pending:
                    self._served.transact(self._pending)
            finally:
                self._pending = None
            return
        self._run("BEGIN")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    def upsert(self, table: Table, rows: pa.Table, *, several: bool = False) -> None:
        """Write rows of `table`; a row whose version is smaller than what is there is left out.

        `several`: there may be several rows of one key, in the order they were made; the last one
        of the largest version counts. (Otherwise that would be an error of the database.)
        """
        if not rows.num_rows:
            return
        if self._file is None:
            incoming = statements.carried(table.columns, rows)
            self._run(statements.upsert(table, incoming, several=several))
            return
        numbered = "(SELECT *, row_number() OVER () AS made FROM incoming)"
        self._file.register("incoming", rows)
        try:
            self._run(
                statements.upsert(table, numbered if several else "incoming", several=several)
            )
        finally:
            self._file.unregister("incoming")

    def delete(self, table: Table, keys: Sequence[str]) -> None:
        """Delete rows of a table with a single key column."""
        (key,) = table.primary_key
        wanted = statements.bound("SELECT unnest(?)", [list(keys)])
        if keys:
            self._run(f"DELETE FROM {quoted(table.name)} WHERE {quoted(key)} IN ({wanted})")

    def delete_rows(self, table: Table, rows: pa.Table, *, condition: str) -> None:
        """Delete the rows that have the keys of `rows` and of which the condition still holds."""
        if rows.num_rows:
            self._run(statements.delete(table, rows, condition=condition))

    def write(self, statement: str) -> None:
        """Execute a statement that comes to the same when it is executed twice."""
        self._run(statement)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and fetch what it answers.

        Raises:
            WarehouseError: inside a transaction of a served warehouse, which is sent as a whole
                when it ends and so has no answers before that.
        """
        return list(self._ask(sql, parameters).fetchall())

    def table(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Run one question and fetch the answer as an Arrow table."""
        return self._ask(sql, parameters).to_arrow_table()

    def _ask(self, sql: str, parameters: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        if self._file is not None:
            return self._file.execute(sql, list(parameters))
        if self._pending is not None:
            msg = "a transaction of a served warehouse has no answers before it ends"
            raise WarehouseError(msg)
        assert self._served is not None
        return self._served.execute(sql, parameters)

    def _run(self, statement: str) -> None:
        if self._file is not None:
            self._file.execute(statement)
        elif self._pending is not None:
            self._pending.append(statement)
        else:
            assert self._served is not None
            self._served.write(statement)

    def _check_tables(self, address: Address) -> None:
        there = {name for (name,) in self.execute("SELECT table_name FROM duckdb_tables()")}
        missing = [table.name for table in TABLES if table.name not in there]
        if missing:
            msg = (
                f"the warehouse at {address} lacks {', '.join(missing)}: it is served by another "
                "tillflow than this one, start its server anew with this one"
            )
            raise WarehouseError(msg)

    def close(self) -> None:
        """Let go of it; the write-ahead log of a file is folded into it."""
        if self._file is not None:
            self._file.close()
        if self._served is not None:
            self._served.close()


def open_reader(target: Target, *, patience: float = READER_PATIENCE_SECONDS) -> Reader:
    """A connection that only reads: a file while no flow writes it, a served warehouse always.

    Raises:
        WarehouseError: the file is not there, a process is writing it, nothing is served at the
            address, or its token is refused.
    """
    where = parse_target(target)
    if isinstance(where, Address):
        served = ServedConnection(where, patience=patience)
        served.execute("SELECT 1").fetchall()
        return served
    if not where.exists():
        msg = (
            f"no warehouse at {where}: run a flow first (tillflow run stock --warehouse {where} …)"
        )
        raise WarehouseError(msg)
    connection = _connect(where, read_only=True)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def open_file(path: Path) -> duckdb.DuckDBPyConnection:
    """A warehouse file opened for writing, made with its tables where they are not there.

    Raises:
        WarehouseError: another process has it, or it is no DuckDB file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(path, read_only=False)
    connection.execute(f"SET threads = {THREADS}")
    # Instants are shown in UTC whatever the machine's own zone is.
    connection.execute("SET TimeZone = 'UTC'")
    # All at once: each by itself would be a transaction on the disk, two hundred of them a start.
    connection.begin()
    _lay_out(connection)
    connection.commit()
    return connection


def _lay_out(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables and say what is in them, unless that was done before.

    Saying it is most of what opening a file takes. Views are always made anew: an older tillflow
    may have made its own meanwhile.
    """
    tables = ";\n".join(statement for table in TABLES for statement in table.ddl())
    layout = hashlib.sha256(tables.encode()).hexdigest()
    if _layout_of(connection) != layout:
        connection.execute(tables)
        connection.execute(
            f"INSERT INTO {WAREHOUSE_INFO.name} VALUES ('warehouse', '{uuid.uuid4().hex}') "
            "ON CONFLICT DO NOTHING"
        )
        connection.execute(
            f"INSERT OR REPLACE INTO {WAREHOUSE_INFO.name} VALUES ('layout', '{layout}')"
        )
    connection.execute(";\n".join(statement for view in VIEWS for statement in view.ddl()))


def _layout_of(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Which tables were made here, None where one of them or of their columns is not there."""
    ask = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"
    there = set(connection.execute(ask).fetchall())
    if not {(table.name, name) for table in TABLES for name in table.names} <= there:
        return None
    row = connection.execute(
        f"SELECT value FROM {WAREHOUSE_INFO.name} WHERE name = 'layout'"
    ).fetchone()
    return str(row[0]) if row is not None else None


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as wrong:
        first = str(wrong).partition("\n")[0]
        if "lock" in first.lower():
            msg = (
                f"{path} is open in another process, and DuckDB lets one process own a file: "
                f"stop that one first, or write and read through the one that serves it ({first})"
            )
        else:
            msg = f"{path} cannot be used as a warehouse: {first}"
        raise WarehouseError(msg) from wrong
