"""Rows that are tuples in the order of their table's columns, as Arrow: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import pyarrow as pa

from schemas.tables import Table

Row = tuple[Any, ...]


def rows_table(table: Table, rows: Sequence[Row]) -> pa.Table:
    """Rows as Arrow."""
    schema = table.arrow()
    if not rows:
        return schema.empty_table()
    columns = zip(*rows, strict=True)
    return pa.table(
        [pa.array(values, type=one.type) for values, one in zip(columns, schema, strict=True)],
        schema=schema,
    )


def newest_rows(table: Table, rows: Iterable[Row]) -> pa.Table:
    """One row a key, as Arrow: the last one, or the last one of the largest version."""
    names = table.names
    identity = itemgetter(*map(names.index, table.primary_key))
    if table.version is None:
        return rows_table(table, list({identity(row): row for row in rows}.values()))
    version = names.index(table.version)
    found: dict[Any, Row] = {}
    for row in rows:
        key = identity(row)
        there = found.get(key)
        if there is None or there[version] <= row[version]:
            found[key] = row
    return rows_table(table, list(found.values()))
