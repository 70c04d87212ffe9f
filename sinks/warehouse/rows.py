"""Outcomes of the stock flow as rows of the warehouse: pure, no connection in sight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from operators.stock.refusals import Refusal
from schemas.warehouse import DEAD_LETTER, STOCK_ALERT, STOCK_POSITION
from sinks.warehouse.tuple_rows import rows_table


def position_rows(columns: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    """Rows of stock_position from its columns."""
    schema = STOCK_POSITION.arrow()
    return pa.RecordBatch.from_arrays(
        [_column(values, field.type) for values, field in zip(columns, schema, strict=True)],
        schema=schema,
    )


def _column(values: Any, type: pa.DataType) -> pa.Array:
    if isinstance(values, np.ndarray):
        # As it lies in memory.
        return pa.Array.from_buffers(type, len(values), [None, pa.py_buffer(values)])
    return pa.array(values, type=type)


def alert_rows(rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    """Rows of stock_alert; the caller has one row an alert."""
    return rows_table(STOCK_ALERT, list(rows))


def dead_letter_rows(refusals: Iterable[Refusal]) -> pa.Table:
    """Rows of dead_letter, one a place where an event stood."""
    found: dict[tuple[str, int], tuple[Any, ...]] = {}
    for refusal in refusals:
        found[(refusal.origin, refusal.position)] = (
            refusal.origin,
            refusal.position,
            refusal.code,
            refusal.reason,
            refusal.event_source,
            refusal.event_id,
            refusal.time,
            refusal.raw,
            1,
        )
    return rows_table(DEAD_LETTER, list(found.values()))
