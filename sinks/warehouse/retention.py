"""What of the warehouse is history, and how long it is kept.

Ages are counted from the newest event in the warehouse where a table holds times of events, so that
last year's data, read in today, is not gone tomorrow; the diary of runs goes by the clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.reservation_tables import RESERVATION
from schemas.tables import Table, quoted
from schemas.warehouse import (
    DEAD_LETTER,
    FLOW_RUN,
    FLOW_RUN_PART,
    STOCK_ALERT,
    TRANSFER_SUGGESTION,
)
from sinks.warehouse.address import WarehouseError
from sinks.warehouse.client import Warehouse
from sinks.warehouse.statements import bound

# What is removed goes by its keys where it was exported before; so many in one transaction.
DELETED_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Rule:
    """When rows of a table are history that is old: `due` is SQL with one `?`, the cutoff.

    `still`: what must hold when a row is removed that was exported a moment before.
    """

    table: Table
    due: str
    by_events: bool
    still: str = "true"


RULES: tuple[Rule, ...] = (
    Rule(
        STOCK_ALERT,
        "status = 'cleared' AND cleared_at < ?",
        by_events=True,
        still="status = 'cleared'",
    ),
    # A letter that nobody could read has no time of its own: it goes with a later one of its
    # source, so a source of nothing but garbage keeps it all.
    Rule(
        DEAD_LETTER,
        "position <= (SELECT max(position) FROM dead_letter old WHERE "
        "old.source = dead_letter.source AND old.event_time < $1) "
        "AND coalesce(event_time < $1, true)",
        by_events=True,
    ),
    # All states of a suggestion go together, once the last of them is old and final.
    Rule(
        TRANSFER_SUGGESTION,
        "suggestion IN (SELECT suggestion FROM transfer_suggestion GROUP BY suggestion "
        "HAVING arg_max(status, version) IN ('rejected', 'expired', 'superseded', 'executed') "
        "AND max(updated_at) < ?)",
        by_events=True,
    ),
    Rule(
        RESERVATION,
        "state <> 'held' AND updated_at < ?",
        by_events=True,
        still="state <> 'held'",
    ),
    Rule(FLOW_RUN, "status <> 'running' AND updated_at < ?", by_events=False),
    Rule(
        FLOW_RUN_PART,
        "updated_at < ? AND run NOT IN (SELECT run FROM flow_run)",
        by_events=False,
    ),
)


def kept_days(days: int | None, exceptions: Mapping[str, int]) -> dict[str, int]:
    """How many days each table of history is kept; one that is not in it is kept for ever.

    Raises:
        WarehouseError: a name is that of no table of history.
    """
    known = [rule.table.name for rule in RULES]
    for name in exceptions:
        if name not in known:
            msg = f"{name} is no history that could be removed; there are {', '.join(known)}"
            raise WarehouseError(msg)
    kept = {} if days is None else dict.fromkeys(known, days)
    return kept | dict(exceptions)


def retain(
    warehouse: Warehouse, kept: Mapping[str, int], now: datetime, export: Path | None = None
) -> dict[str, int]:
    """Remove history that is older than its days and return how many rows went, by table.

    With `export` what is removed is first written there, one Parquet file a table and time.
    """
    newest = warehouse.execute(
        "SELECT greatest((SELECT max(as_of) FROM stock_position), "
        "(SELECT max(newest_event) FROM flow_run))"
    )[0][0]
    removed: dict[str, int] = {}
    for rule in RULES:
        today = newest if rule.by_events else now
        if rule.table.name not in kept or today is None:
            continue
        cutoff = today - timedelta(days=kept[rule.table.name])
        due = bound(rule.due, [cutoff])
        if export is None:
            name = quoted(rule.table.name)
            gone = warehouse.execute(f"DELETE FROM {name} WHERE {due}")[0][0]
        else:
            gone = _exported(warehouse, rule, due, export / f"{now:%Y%m%dT%H%M%S}")
        removed[rule.table.name] = int(gone)
    return removed


def _exported(warehouse: Warehouse, rule: Rule, due: str, folder: Path) -> int:
    rows = warehouse.table(f"SELECT * FROM {quoted(rule.table.name)} WHERE {due}")
    if rows.num_rows:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{rule.table.name}.parquet"
        half = path.with_suffix(".new")
        pq.write_table(rows, half)
        half.rename(path)
    for chunk in _chunks(rows):
        warehouse.delete_rows(rule.table, chunk, condition=rule.still)
    return int(rows.num_rows)


def _chunks(rows: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, rows.num_rows, DELETED_AT_ONCE):
        yield rows.slice(start, DELETED_AT_ONCE)
