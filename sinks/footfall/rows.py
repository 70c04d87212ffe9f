"""Outcomes of the footfall flow as rows of the warehouse: pure, no connection in sight."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from schemas.footfall_tables import EMPLOYEE_WORK_15M, FOOTFALL_15M
from schemas.tables import Table

Row = tuple[Any, ...]


def window_rows(rows: Iterable[Row]) -> pa.Table:
    """Rows of footfall_15m, one a window: the last one of the largest version counts."""
    return _newest(FOOTFALL_15M, rows)


def work_rows(rows: Iterable[Row]) -> pa.Table:
    """Rows of employee_work_15m, one for each employee, task and window."""
    return _newest(EMPLOYEE_WORK_15M, rows)


def _newest(table: Table, rows: Iterable[Row]) -> pa.Table:
    schema = table.arrow()
    key = [table.names.index(name) for name in table.primary_key]
    version = table.names.index("version")
    found: dict[Row, Row] = {}
    for row in rows:
        identity = tuple(row[at] for at in key)
        there = found.get(identity)
        if there is None or there[version] <= row[version]:
            found[identity] = row
    if not found:
        return schema.empty_table()
    columns = zip(*found.values(), strict=True)
    return pa.table(
        [pa.array(values, type=one.type) for values, one in zip(columns, schema, strict=True)],
        schema=schema,
    )
