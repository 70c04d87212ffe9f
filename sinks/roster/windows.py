"""Windows of footfall out of the warehouse, for the roster flow."""

from __future__ import annotations

from collections.abc import Iterator

from operators.footfall.facts import QUARTER_US
from operators.staffing.facts import WindowFact
from schemas.footfall_tables import FOOTFALL_15M
from schemas.instants import to_datetime, to_micros
from sinks.warehouse.client import Reader

# Rows that are in memory at a time.
_AT_ONCE = 50_000


def window_facts(reader: Reader, since: int, until: int | None = None) -> Iterator[WindowFact]:
    """Final windows that begin in this time, in the order of time; all times in microseconds."""
    asked = (
        f"SELECT store, epoch_us(start) // {QUARTER_US}, version, entries, orders, "
        f"door_status = 'ok', till_status = 'ok' FROM {FOOTFALL_15M.name} "
        "WHERE final = 1 AND start >= ? AND start < ? ORDER BY start, store"
    )
    ends = to_datetime(until if until is not None else newest_start(reader) + 1)
    answer = reader.execute(asked, [to_datetime(since), ends])
    while rows := answer.fetchmany(_AT_ONCE):
        for row in rows:
            yield WindowFact(*row)


def newest_start(reader: Reader) -> int:
    """When the newest final window begins, 0 without any."""
    asked = f"SELECT max(start) FROM {FOOTFALL_15M.name} WHERE final = 1"
    [(newest,)] = reader.execute(asked).fetchall()
    return 0 if newest is None else to_micros(newest)
