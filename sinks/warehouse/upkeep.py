"""Keeps a warehouse small and keeps a copy of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

from schemas.tables import literal, quoted
from schemas.warehouse import TABLES
from sinks.warehouse.address import Address, Target, WarehouseError, parse_target
from sinks.warehouse.client import Warehouse
from sinks.warehouse.extensions import load_protocol


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of a warehouse: its file, the part of that which is used, and its log of changes."""

    file: int
    used: int
    log: int


def size(warehouse: Warehouse) -> Size:
    """How large an open warehouse is."""
    [(block, total, used, log)] = warehouse.execute(
        "SELECT block_size, total_blocks, used_blocks, wal_size FROM pragma_database_size() "
        "WHERE database_name = current_database()"
    )
    [(log_bytes,)] = warehouse.execute("SELECT ?::VARCHAR", [str(log)])
    return Size(file=block * total, used=block * used, log=_bytes(str(log_bytes)))


def _bytes(text: str) -> int:
    number, _, unit = text.partition(" ")
    factor = {"bytes": 1, "byte": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}.get(unit, 1)
    return int(float(number) * factor)


def fold(warehouse: Warehouse) -> None:
    """Fold the log of changes into the file; blocks that became free are used again later.

    It waits for no one: while another transaction writes, DuckDB does this on its own soon after.
    """
    try:
        warehouse.execute("CHECKPOINT")
    except duckdb.Error as wrong:
        if "other write transactions" not in str(wrong):
            raise


def compact(path: Path) -> tuple[int, int]:
    """Write a warehouse file anew without its free blocks; returns its bytes before and after.

    Raises:
        WarehouseError: another process has the file.
    """
    Warehouse(path).close()
    before = path.stat().st_size
    fresh = path.with_name(path.name + ".compact")
    fresh.unlink(missing_ok=True)
    # Open for writing, so nobody else has it until the new file is in its place.
    connection = _own(path)
    try:
        _copy(connection, fresh)
        connection.execute("CHECKPOINT")
        os.replace(fresh, path)
    finally:
        connection.close()
        fresh.unlink(missing_ok=True)
    # Comments are part of what dashboards rely on; opening writes them again.
    Warehouse(path).close()
    return before, path.stat().st_size


def backup(target: Target, copy: Path) -> None:
    """Copy a warehouse as it is at one moment into a new file, a served one while it is in use.

    Raises:
        WarehouseError: the copy is there already, or the warehouse cannot be opened.
    """
    if copy.exists():
        msg = f"{copy} is there already: name a new file"
        raise WarehouseError(msg)
    where = parse_target(target)
    half = copy.with_name(copy.name + ".new")
    half.unlink(missing_ok=True)
    half.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(where, Address):
        _fetch(where, half)
    else:
        connection = _own(where)
        try:
            _copy(connection, half)
        finally:
            connection.close()
    Warehouse(half).close()
    half.rename(copy)


def _own(path: Path) -> duckdb.DuckDBPyConnection:
    if not path.exists():
        msg = f"no warehouse at {path}"
        raise WarehouseError(msg)
    Warehouse(path).close()
    return duckdb.connect(str(path))


def _copy(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    [(own,)] = connection.execute("SELECT current_database()").fetchall()
    connection.execute(f"ATTACH {literal(str(path))} AS tillflow_copy")
    connection.execute(f"COPY FROM DATABASE {quoted(own)} TO tillflow_copy")
    connection.execute("CHECKPOINT tillflow_copy")
    connection.execute("DETACH tillflow_copy")


def _fetch(address: Address, path: Path) -> None:
    """All tables over one session with one transaction, so that they fit each other."""
    Warehouse(path).close()
    connection = duckdb.connect(str(path))
    try:
        load_protocol(connection)
        connection.execute("SET TimeZone = 'UTC'")
        ssl = "false" if address.tls else "true"
        connection.execute(
            f"ATTACH {literal(address.uri)} AS served "
            f"(TOKEN {literal(address.token)}, DISABLE_SSL {ssl})"
        )

        def ask(sql: str) -> None:
            connection.execute("FROM quack_query_by_name('served', ?)", [sql]).fetchall()

        ask("BEGIN TRANSACTION READ ONLY")
        for table in TABLES:
            name = quoted(table.name)
            columns = ", ".join(quoted(column) for column in table.names)
            connection.execute(f"DELETE FROM {name}")
            connection.execute(
                f"INSERT INTO {name} ({columns}) SELECT {columns} "
                "FROM quack_query_by_name('served', ?)",
                [f"SELECT {columns} FROM {name}"],
            )
        ask("COMMIT")
        connection.execute("DETACH served")
        connection.execute("CHECKPOINT")
    except duckdb.Error as wrong:
        if "authorization failed" in str(wrong).lower():
            msg = f"a copy of {address} needs the port and the token of flows"
            raise WarehouseError(msg) from wrong
        raise
    finally:
        connection.close()
