"""Outcomes of the members flow as rows of the warehouse: pure, no connection in sight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from schemas.member_tables import MEMBER_STATE, MEMBER_TRANSITION
from schemas.tables import Table

Row = tuple[Any, ...]
_VERSION = MEMBER_STATE.names.index("version")


def state_rows(rows: Iterable[Row]) -> pa.Table:
    """Rows of member_state, one a member: the last one of the largest version."""
    found: dict[str, Row] = {}
    for row in rows:
        there = found.get(row[0])
        if there is None or there[_VERSION] <= row[_VERSION]:
            found[row[0]] = row
    return _table(MEMBER_STATE, list(found.values()))


def transition_rows(rows: Iterable[Row]) -> pa.Table:
    """Rows of member_transition, one for each member and number: the last one."""
    return _table(MEMBER_TRANSITION, list({row[:2]: row for row in rows}.values()))


def _table(table: Table, rows: Sequence[Row]) -> pa.Table:
    schema = table.arrow()
    if not rows:
        return schema.empty_table()
    columns = zip(*rows, strict=True)
    return pa.table(
        [pa.array(values, type=one.type) for values, one in zip(columns, schema, strict=True)],
        schema=schema,
    )
