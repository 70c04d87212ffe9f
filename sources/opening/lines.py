"""Reads a file of sales, and merges further events into it line by line, in order of arrival."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import duckdb

from schemas.instants import format_instant
from schemas.movement import MOVEMENT_TYPE
from schemas.tables import literal

# (how many lines of the sales' file are before it, the line without its end)
Insert = tuple[int, bytes]


class SalesError(Exception):
    """The file of sales cannot be completed; the message says why."""


def load_sales(connection: duckdb.DuckDBPyConnection, sales: Path, zone: str) -> None:
    """Make `sale` of a file of `sold` events in order of time, and `span` of when they were.

    `n` is the number of the line, counted from 0, `day` the local day, the first one being 0.

    Raises:
        SalesError: there are none, other events are among them, or they are not in order.
    """
    connection.execute(
        f"""
CREATE TABLE read AS
SELECT row_number() OVER () - 1 AS n, id, time AS instant, data.sku AS sku, data.place AS place,
  data.quantity AS units, data.kind AS kind, timezone({literal(zone)}, time)::DATE AS local_day
FROM read_json({literal(str(sales))}, format = 'newline_delimited', columns = {{
  'id': 'VARCHAR', 'time': 'TIMESTAMPTZ',
  'data': 'STRUCT(kind VARCHAR, sku VARCHAR, place VARCHAR, quantity BIGINT)'}})"""
    )
    connection.execute(
        "CREATE TABLE span AS SELECT min(local_day) AS first_day, max(local_day) AS last_day, "
        "min(instant) AS first_instant, max(instant) AS last_instant FROM read"
    )
    connection.execute("CREATE VIEW sale AS SELECT *, local_day - first_day AS day FROM read, span")
    found = connection.execute(
        "SELECT count(*), count(*) FILTER (kind <> 'sold'), count(*) FILTER (instant < before) "
        "FROM (SELECT kind, instant, lag(instant) OVER (ORDER BY n) AS before FROM read)"
    ).fetchone()
    assert found is not None
    count, others, backward = found
    if not count:
        msg = f"{sales} has no sales"
        raise SalesError(msg)
    if others or backward:
        msg = (
            f"{sales} must have sales only, in order of time: {others:,} events are no sales, "
            f"{backward:,} are older than the one before"
        )
        raise SalesError(msg)


def lines_of(sales: Path, numbers: Iterable[int]) -> dict[int, bytes]:
    """The lines of these numbers (counted from 0), without their ends."""
    found: dict[int, bytes] = {}
    done = 0
    with sales.open("rb") as file:
        for number in sorted(set(numbers)):
            line = next(islice(file, number - done, None))
            done = number + 1
            found[number] = line.rstrip(b"\n")
    return found


def movement_line(
    source: str, event_id: str, micros: int, kind: str, sku: str, place: str, fields: str
) -> bytes:
    """The line of an event, as the import writes it; `fields` are the rest of its data."""
    return (
        f'{{"specversion":"1.0","id":"{event_id}","source":"{source}","type":"{MOVEMENT_TYPE}",'
        f'"time":"{format_instant(micros)}","data":{{"kind":"{kind}","sku":"{sku}",'
        f'"place":"{place}",{fields}}}}}'
    ).encode()


def movement_line_sql(source: str, kind: str) -> str:
    """SQL of the line of an event with the columns id, instant, sku, place, units."""
    return " || ".join(
        [
            '\'{"specversion":"1.0","id":\' || to_json(id)::VARCHAR',
            literal(f',"source":"{source}","type":"{MOVEMENT_TYPE}","time":"'),
            "strftime(timezone('UTC', instant), '%Y-%m-%dT%H:%M:%SZ')",
            literal(f'","data":{{"kind":"{kind}","sku":'),
            "to_json(sku)::VARCHAR || ',\"place\":' || to_json(place)::VARCHAR",
            "',\"quantity\":' || units::VARCHAR || '}}'",
        ]
    )


def merge_lines(
    sales: Path, inserts: Iterable[Insert], withheld: Iterable[int], out: Path
) -> tuple[int, int]:
    """Write the lines of `sales` with the inserts, which come in order, but without `withheld`.

    Returns how many lines and bytes were written.
    """
    with sales.open("rb") as source, out.open("wb") as target:
        merge = _Merge(source, target, withheld)
        for before, line in inserts:
            if before > merge.read:
                merge.copy_until(before)
            target.write(line + b"\n")
            merge.written += 1
        merge.copy_until(None)
        return merge.written, target.tell()


class _Merge:
    """How far the sales have been copied."""

    def __init__(self, source: BinaryIO, target: BinaryIO, withheld: Iterable[int]) -> None:
        self._source = source
        self._target = target
        self._withheld = iter(sorted(withheld))
        self._skip = next(self._withheld, None)
        self.read = 0
        self.written = 0

    def copy_until(self, line: int | None) -> None:
        """Copy the lines before number `line`, all for None."""
        while self._skip is not None and (line is None or self._skip < line):
            self._copy(self._skip - self.read)
            next(self._source)
            self.read += 1
            self._skip = next(self._withheld, None)
        self._copy(None if line is None else line - self.read)

    def _copy(self, count: int | None) -> None:
        lines = 0
        for text in islice(self._source, count):
            self._target.write(text)
            lines += 1
        self.read += lines
        self.written += lines
