"""SQL for the warehouse's tables, as text: pure, no connection in sight."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from schemas.tables import Column, ColumnType, Table, literal, quoted

# How a column travels inside JSON: instants as microseconds since 1970, bytes as base64.
_CARRIED: dict[ColumnType, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "real": "DOUBLE",
    "instant": "BIGINT",
    "json": "VARCHAR",
    "bytes": "VARCHAR",
}
_UNPACKED: dict[ColumnType, str] = {
    "instant": "make_timestamptz({})",
    "json": "{}::JSON",
    "bytes": "from_base64({})",
}
_PARAMETER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|\?|\$\d+")


def upsert(table: Table, incoming: str, *, several: bool) -> str:
    """Write the rows of `incoming`; one whose version is smaller than what is there is left out.

    `several`: `incoming` also has a column `made`, the order of its rows; of the rows of one key
    the last one of the largest version counts.
    """
    name = quoted(table.name)
    key = ", ".join(quoted(column) for column in table.primary_key)
    others = [column for column in table.names if column not in table.primary_key]
    sets = ", ".join(f"{quoted(column)} = excluded.{quoted(column)}" for column in others)
    newer = ""
    if table.version is not None:
        version = quoted(table.version)
        newer = f" WHERE excluded.{version} >= {name}.{version}"
    columns = ", ".join(quoted(column) for column in table.names)
    if several:
        order = "".join(f"{quoted(column)} DESC, " for column in (table.version,) if column)
        incoming += f" QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {order}made DESC) = 1"
    return (
        f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {incoming} "
        f"ON CONFLICT ({key}) DO UPDATE SET {sets}{newer}"
    )


def carried(columns: Sequence[Column], rows: pa.Table) -> str:
    """Rows as a subquery that holds them itself: JSON, column by column.

    Measured against the other ways to get rows to a served warehouse, this one is the fastest
    from a hundred rows on (`bench/served.py`), and all of a transaction fits in one message.
    """
    values = {column.name: _json_values(column, rows[column.name]) for column in columns}
    text = msgspec.json.encode(values).decode()
    shape = msgspec.json.encode({column.name: [_CARRIED[column.type]] for column in columns})
    parts = ", ".join(f"unnest(j.{quoted(one.name)}) AS {quoted(one.name)}" for one in columns)
    unpacked = ", ".join(
        f"{_UNPACKED.get(one.type, '{}').format(quoted(one.name))} AS {quoted(one.name)}"
        for one in columns
    )
    return (
        f"(SELECT {unpacked}, made FROM (SELECT {parts}, unnest(range({rows.num_rows})) AS made "
        f"FROM (SELECT from_json_strict({literal(text)}, {literal(shape.decode())}) AS j)))"
    )


def _json_values(column: Column, values: pa.ChunkedArray) -> list[Any]:
    if column.type == "instant":
        return list(values.cast(pa.int64()).to_pylist())
    plain = values.to_pylist()
    if column.type == "real":
        # JSON has no number that is infinite; a text is read as one.
        return [one if one is None or math.isfinite(one) else str(one) for one in plain]
    if column.type == "bytes":
        return [None if one is None else base64.b64encode(one).decode() for one in plain]
    return list(plain)


def delete(table: Table, rows: pa.Table, *, condition: str = "true") -> str:
    """Delete the rows that have the keys of `rows` and of which the condition still holds."""
    name = quoted(table.name)
    columns = [column for column in table.columns if column.name in table.primary_key]
    same = " AND ".join(f"{name}.{quoted(one.name)} = k.{quoted(one.name)}" for one in columns)
    return f"DELETE FROM {name} USING {carried(columns, rows)} k WHERE {same} AND ({condition})"


def bound(sql: str, parameters: Sequence[Any]) -> str:
    """A statement with its parameters (`?` or `$1`) written into it.

    What goes to a served warehouse is text alone. Only numbers, texts, instants, NULL and lists
    of them are written, so nothing in a parameter is ever read as SQL.

    Raises:
        ValueError: there are more or fewer parameters than places for them.
    """
    given = list(parameters)
    used: set[int] = set()

    def put(found: re.Match[str]) -> str:
        piece = found[0]
        if piece != "?" and not piece.startswith("$"):
            return piece
        index = len(used) if piece == "?" else int(piece[1:]) - 1
        if index >= len(given):
            msg = f"parameter {index + 1} is not given: {sql}"
            raise ValueError(msg)
        used.add(index)
        return _written(given[index])

    text = _PARAMETER.sub(put, sql)
    if len(used) != len(given):
        msg = f"{len(given)} parameters for {len(used)} places: {sql}"
        raise ValueError(msg)
    return text


def _written(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{literal(repr(value))}::DOUBLE"
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return f"{literal(value.isoformat())}::TIMESTAMPTZ"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    msg = f"a served warehouse takes no parameter of type {type(value).__name__}"
    raise TypeError(msg)
