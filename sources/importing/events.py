"""Judged movements as CloudEvents in structured JSON, one a line, written in big batches."""

from __future__ import annotations

from pathlib import Path

import duckdb

from schemas.movement import MOVEMENT_TYPE
from schemas.tables import literal, quoted
from sources.importing.mapping import Mapping

_ENVELOPE = ("subject", "sequence", "correlationid")
_DATA = (
    "order",
    "line",
    "lot",
    "from_place",
    "to_place",
    "transfer",
    "reason",
    "device",
    "corrects",
)
# About 30 MB of text at a time; DuckDB hands the next batch over while this one is written.
_BATCH_ROWS = 100_000


def make_events_table(connection: duckdb.DuckDBPyConnection, mapping: Mapping) -> int:
    """Make the table `events`, in the order of the output; returns how many there are."""
    order = 'file, "row"' if mapping.sort == "input" else 'instant, file, "row"'
    # Stored in order and read in order: DuckDB keeps the order of insertion of a table.
    connection.execute(
        f"CREATE TABLE events AS SELECT * EXCLUDE (likeness, words, code, skip_rule) "
        f"FROM movements WHERE fate = 'event' ORDER BY {order}"
    )
    return int(connection.execute("SELECT count(*) FROM events").fetchall()[0][0])


def line_sql(mapping: Mapping) -> str:
    """SQL of the line of an event of the table `events`, with its line end."""
    declared = {
        name for name in (*_ENVELOPE, *_DATA) if getattr(mapping.event, name, None) is not None
    }
    if any(rule.reason is not None for rule in mapping.event.kind):
        declared.add("reason")
    source = f"to_json({literal(mapping.source)})::VARCHAR"
    parts = [
        literal('{"specversion":"1.0","id":'),
        _json("id"),
        f"',\"source\":' || {source}",
        literal(f',"type":"{MOVEMENT_TYPE}","time":"'),
        _instant("instant"),
        "'\"'",
        *(_optional(name, _json(name)) for name in _ENVELOPE if name in declared),
        '\',"data":{"kind":"\' || kind || \'","sku":\'',
        _json("sku"),
        "',\"place\":'",
        _json("place"),
        _optional("quantity", "quantity::VARCHAR"),
        *(_optional(name, _json(name)) for name in _DATA if name in declared),
    ]
    if mapping.event.expires_on is not None:
        parts.append(_optional("expires_on", _json("expires_on")))
    if mapping.event.device_seq is not None:
        parts.append(_optional("device_seq", quoted("device_seq")))
    return " || ".join([*parts, "'}}' || chr(10)"])


def _json(column: str) -> str:
    return f"to_json({quoted(column)})::VARCHAR"


def _optional(name: str, value: str) -> str:
    # A field that says nothing is left out, as the contract's own encoder leaves it out.
    return f"coalesce(',\"{name}\":' || {value}, '')"


def _instant(column: str) -> str:
    local = f"timezone('UTC', {column})"
    fraction = f"CASE WHEN microsecond({local}) % 1000000 = 0 THEN '' "
    fraction += f"ELSE strftime({local}, '.%f') END"
    return f"strftime({local}, '%Y-%m-%dT%H:%M:%S') || {fraction} || 'Z'"


def write_events(connection: duckdb.DuckDBPyConnection, mapping: Mapping, to: Path) -> None:
    """Write the table `events` as JSON lines in UTF-8, in its order."""
    reader = connection.execute(f"SELECT {line_sql(mapping)} AS line FROM events").to_arrow_reader(
        _BATCH_ROWS
    )
    with to.open("wb") as file:
        for batch in reader:
            # The texts of an Arrow column lie one after the other: they are the file already.
            _, offsets, data = batch.column(0).buffers()
            column = batch.column(0)
            begins, ends = column.offset, column.offset + len(column)
            marks = memoryview(offsets).cast("i")
            if data is not None:
                file.write(memoryview(data)[marks[begins] : marks[ends]])
