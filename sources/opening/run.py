"""One file of bare sales becomes the events of a chain: sales, supply, counts, orders, mishaps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from sources.opening.lines import Insert, load_sales, merge_lines, movement_line_sql
from sources.opening.mishaps import Mishaps, mishaps
from sources.opening.rule import SupplyRule
from sources.opening.supply import COUNT_SOURCE, SUPPLY_SOURCE, make_supply
from sources.opening.web import Extra, web_orders

_THREADS = 2
# About 20 MB of text at a time.
_BATCH_ROWS = 100_000


class Completed(msgspec.Struct, kw_only=True):
    """What was supplied; `places` in order of their sales, the busiest first."""

    sales: int
    shelves: int
    opening_units: int
    deliveries: int
    delivered_units: int
    late_deliveries: int
    short_deliveries: int
    counts: int
    web_orders: int
    resent: int
    late: int
    too_late: int
    cut: int
    lines: int
    bytes: int
    places: list[str]
    seconds: float


def complete(
    sales: Path,
    out: Path,
    rule: SupplyRule | None = None,
    *,
    say: Callable[[str], None] = lambda _: None,
) -> Completed:
    """Write the events of `sales` and all that the rule supplies to `out`, in order of arrival.

    Raises:
        SalesError: the file is no file of sales in order of time.
    """
    rule = rule or SupplyRule()
    began = time.monotonic()
    with _connection() as connection:
        say(f"reading {sales}")
        load_sales(connection, sales, rule.zone)
        say("supplying opening stock, deliveries and counts by the rule")
        make_supply(connection, rule)
        orders, order_count = web_orders(connection, rule)
        wrong = mishaps(connection, sales, rule)
        _make_extras(connection, [*orders, *wrong.extras])
        say("merging all events in the order they arrive")
        inserts = _inserts(connection)
        lines, size = merge_lines(sales, inserts, wrong.withheld, out)
        return _completed(connection, order_count, wrong, lines, size, began)


def _make_extras(connection: duckdb.DuckDBPyConnection, extras: list[Extra]) -> None:
    """Make the table `extra` of all lines that are not where they belong in the sales' file."""
    connection.execute(
        f"""
CREATE TABLE extra AS
SELECT instant AS arrival, 0 AS rank, id AS "order",
  {movement_line_sql(SUPPLY_SOURCE, "received")} AS line FROM supply
UNION ALL
SELECT instant, 1, id, {movement_line_sql(COUNT_SOURCE, "counted")} FROM shelf_count"""
    )
    rows = pa.table(
        {
            "arrival": pa.array([extra.arrival for extra in extras], pa.timestamp("us", "UTC")),
            "order": pa.array([extra.order for extra in extras], pa.string()),
            "line": pa.array([extra.line.decode() for extra in extras], pa.string()),
        }
    )
    connection.register("extra_rows", rows)
    connection.execute('INSERT INTO extra SELECT arrival, 2, "order", line FROM extra_rows')
    connection.unregister("extra_rows")


def _inserts(connection: duckdb.DuckDBPyConnection) -> Iterator[Insert]:
    """The lines of `extra` in order, with how many sales are before each."""
    reader = connection.execute(
        """
WITH moment AS (
  SELECT instant, max(n) AS n FROM sale GROUP BY instant
), cue AS (
  SELECT arrival, coalesce(n + 1, 0) AS before
  FROM (SELECT DISTINCT arrival FROM extra) ASOF LEFT JOIN moment ON moment.instant < arrival
)
SELECT before, line FROM extra JOIN cue USING (arrival) ORDER BY arrival, rank, "order\""""
    ).to_arrow_reader(_BATCH_ROWS)
    for batch in reader:
        lines = batch.column(1).cast(pa.binary()).to_pylist()
        yield from zip(batch.column(0).to_pylist(), lines, strict=True)


def _completed(
    connection: duckdb.DuckDBPyConnection,
    orders: int,
    wrong: Mishaps,
    lines: int,
    size: int,
    began: float,
) -> Completed:
    fates = connection.execute(
        "SELECT fate, count(*), sum(units)::BIGINT FROM supply GROUP BY fate"
    ).fetchall()
    events = {fate: count for fate, count, _ in fates}
    units = {fate: units for fate, _, units in fates}
    counts = connection.execute("SELECT count(*) FROM shelf_count").fetchall()[0][0]
    places = connection.execute(
        "SELECT place, count(*) AS lines FROM sale GROUP BY place ORDER BY lines DESC, place"
    ).fetchall()
    return Completed(
        sales=sum(count for _, count in places),
        shelves=events["opening"],
        opening_units=units["opening"],
        deliveries=sum(events.values()) - events["opening"],
        delivered_units=sum(units.values()) - units["opening"],
        late_deliveries=events.get("late", 0),
        short_deliveries=events.get("short", 0),
        counts=counts,
        web_orders=orders,
        resent=wrong.resent,
        late=wrong.late,
        too_late=wrong.too_late,
        cut=wrong.cut,
        lines=lines,
        bytes=size,
        places=[place for place, _ in places],
        seconds=round(time.monotonic() - began, 2),
    )


@contextmanager
def _connection() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(
        config={
            "threads": _THREADS,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        # A progress bar would come between the lines of whoever calls.
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        yield connection
    finally:
        connection.close()
