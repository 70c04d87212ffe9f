"""Published rosters in the warehouse: written as a whole, read by the roster flow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from operators.roster.published import Plain, PublishedRows, plain_rosters
from schemas.instants import to_datetime
from schemas.roster_tables import ROSTER_DUTY, ROSTER_SHIFT, ROSTER_TASK_15M
from schemas.tables import literal
from sinks.warehouse.address import Target, WarehouseError
from sinks.warehouse.client import Reader, Warehouse, open_reader
from sinks.warehouse.served import PATIENCE_SECONDS
from sinks.warehouse.tuple_rows import rows_table

_TABLES = (ROSTER_SHIFT, ROSTER_TASK_15M, ROSTER_DUTY)


def publish(
    target: Target, rows: PublishedRows, shop: str, days: Sequence[str], published_at: int
) -> None:
    """Write a roster in place of whatever was published for these days of the shop.

    Raises:
        WarehouseError: the warehouse cannot be used, or holds a roster published later.
    """
    warehouse = Warehouse(target)
    first, last = min(days), max(days)
    where = f"store = {literal(shop)} AND day BETWEEN {literal(first)} AND {literal(last)}"
    try:
        [(newest,)] = warehouse.execute(f"SELECT max(updated_at) FROM roster_shift WHERE {where}")
        at = to_datetime(published_at)
        if newest is not None and newest > at:
            msg = (
                f"the warehouse holds a roster of {shop} that was published at {newest}, which is "
                f"later than {at}: look at the clock of this machine, or give --at"
            )
            raise WarehouseError(msg)
        older = f"updated_at < TIMESTAMPTZ {literal(at.isoformat())}"
        with warehouse.transaction():
            for table, values in zip(_TABLES, rows, strict=True):
                warehouse.upsert(table, rows_table(table, values))
                warehouse.write(f"DELETE FROM {table.name} WHERE {where} AND {older}")
    finally:
        warehouse.close()


@contextmanager
def reading(target: Target) -> Iterator[Reader]:
    """A connection to read from, also while this very process writes the file.

    Raises:
        WarehouseError: the warehouse cannot be reached.
    """
    if not isinstance(target, Path):
        reader = open_reader(target, patience=PATIENCE_SECONDS)
    else:
        # A process has one configuration for a file, and its flow writes it.
        try:
            reader = duckdb.connect(str(target))
        except duckdb.IOException as wrong:
            msg = f"{target} cannot be read: {str(wrong).partition(chr(10))[0]}"
            raise WarehouseError(msg) from wrong
        reader.execute("SET TimeZone = 'UTC'")
    try:
        yield reader
    finally:
        reader.close()


def read_published(reader: Reader, first: str, last: str) -> dict[str, Plain]:
    """What is published for the days from first to last, by shop."""
    found = []
    for table in _TABLES:
        answer = reader.execute(
            f"SELECT * FROM {table.name} WHERE day BETWEEN ? AND ? ORDER BY ALL", [first, last]
        )
        names = table.names
        found.append([dict(zip(names, row, strict=True)) for row in answer.fetchall()])
    return plain_rosters(*found)
