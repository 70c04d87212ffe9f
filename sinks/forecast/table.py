"""The warehouse as forecasts use it: windows of footfall out of it, forecasts into it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa

from operators.footfall.facts import QUARTER_US
from operators.forecast.rows import Rows
from operators.forecast.windows import Windows
from schemas.footfall_tables import FOOTFALL_15M
from schemas.forecast_rules import Measure
from schemas.forecast_tables import FORECAST_15M, FORECAST_SPAN
from schemas.instants import to_micros
from sinks.warehouse.address import Target
from sinks.warehouse.client import Reader, Warehouse
from sinks.warehouse.tuple_rows import rows_table
from sinks.warehouse.writer import SERVED_ROWS


def read_windows(reader: Reader, since: datetime, until: datetime) -> Windows:
    """Final windows that begin in this time; those of dead sensors are marked as no good."""
    answer = reader.execute(
        f"SELECT store, epoch_us(start) // {QUARTER_US} AS quarter, entries, orders, "
        "door_status = 'ok' AS doors, till_status = 'ok' AS tills "
        f"FROM {FOOTFALL_15M.name} WHERE final = 1 AND start >= ? AND start < ? "
        "ORDER BY store, start",
        [since.astimezone(UTC), until.astimezone(UTC)],
    )
    return windows_of(answer.to_arrow_table())


def newest_window(reader: Reader) -> int | None:
    """When the newest final window begins, in microseconds; None without any."""
    [(newest,)] = reader.execute(
        f"SELECT max(start) FROM {FOOTFALL_15M.name} WHERE final = 1"
    ).fetchall()
    return None if newest is None else to_micros(newest)


def read_forecast(
    reader: Reader, store: str, first: date, last: date
) -> tuple[list[tuple[Measure, str, str, float]], datetime | None]:
    """A store's quarters from day to day as (measure, day, local start, mean), in order.

    Beside them the instant at which the oldest of them was forecast; None without any.
    """
    rows = reader.execute(
        f"SELECT measure, day, local_start, mean, updated_at FROM {FORECAST_15M.name} "
        "WHERE store = ? AND day BETWEEN ? AND ? ORDER BY measure, start",
        [store, first.isoformat(), last.isoformat()],
    ).fetchall()
    made = min((row[4] for row in rows), default=None)
    return [row[:4] for row in rows], made


def windows_of(table: pa.Table) -> Windows:
    """Windows from columns store, quarter, entries, orders, doors, tills."""
    store = table["store"].combine_chunks().dictionary_encode()
    return Windows(
        names=tuple(store.dictionary.to_pylist()),
        store=np.asarray(store.indices).astype(np.int64),
        quarter=table["quarter"].to_numpy().astype(np.int64),
        entries=table["entries"].to_numpy().astype(np.float64),
        orders=table["orders"].to_numpy().astype(np.float64),
        doors=table["doors"].to_numpy().astype(bool),
        tills=table["tills"].to_numpy().astype(bool),
    )


def write_forecasts(target: Target, rows: Iterable[Rows]) -> int:
    """Write forecasts; what was made earlier is replaced. Answers how many rows."""
    warehouse = Warehouse(target)
    written = 0
    try:
        with warehouse.transaction():
            for one in rows:
                for table, values in ((FORECAST_15M, one.quarters), (FORECAST_SPAN, one.spans)):
                    for first in range(0, len(values), SERVED_ROWS):
                        part = values[first : first + SERVED_ROWS]
                        warehouse.upsert(table, rows_table(table, part))
                        written += len(part)
    finally:
        warehouse.close()
    return written
