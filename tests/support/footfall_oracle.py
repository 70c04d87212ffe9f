"""What windows must be, asked of the raw lines in SQL alone: no state, no machine, no order.
What the statements do not understand stands with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import duckdb
from footfall_oracle_sql import EVENTS, JUDGED, QUARTER, STATEMENTS, UNCOUNTED

from schemas.chain import Chain
from schemas.footfall_tables import EMPLOYEE_WORK_15M, FOOTFALL_15M

Row = tuple[Any, ...]


class Expected(NamedTuple):
    """Rows without their versions, and (line, reason code) of what is refused."""

    windows: list[Row]
    work: list[Row]
    dead_letters: list[tuple[int, str]]


def expected(
    lines: list[bytes], chain: Chain, clock: int | None = None, unread: Sequence[bytes] = ()
) -> Expected:
    """What must stand in the warehouse after these lines, numbered from 1.

    With `clock`, nothing comes any more until then: what is quiet is closed by the time alone.
    Lines among `unread` only take their number.
    """
    read = [(number, line) for number, line in enumerate(lines, 1) if line not in unread]
    connection = duckdb.connect()
    try:
        connection.execute("SET TimeZone = 'UTC'; SET threads = 1")
        _load(connection, read, chain, clock)
        connection.execute(EVENTS)
        _judge(connection)
        for statement in STATEMENTS:
            connection.execute(statement)
        windows = connection.execute("FROM expected_windows ORDER BY ALL").fetchall()
        work = connection.execute("FROM expected_work ORDER BY ALL").fetchall()
        dead = connection.execute("FROM dead ORDER BY ALL").fetchall()
    finally:
        connection.close()
    return Expected(windows, work, dead)


def assert_same(found: list[Row], wanted: list[Row]) -> None:
    """The same rows, figures that are no whole numbers up to how they were added up."""
    found, wanted = sorted(found, key=repr), sorted(wanted, key=repr)
    assert list(map(_whole, found)) == list(map(_whole, wanted))
    for one, other in zip(found, wanted, strict=True):
        for value, right in zip(one, other, strict=True):
            close = isinstance(value, float) and math.isclose(value, right, rel_tol=1e-9)
            assert close or value == right, (one, other)


def _whole(row: Row) -> Row:
    return tuple("real" if isinstance(value, float) else value for value in row)


def _judge(connection: Any) -> None:
    connection.execute("CREATE TABLE uncounted (line INTEGER)")
    before: list[Row] | None = None
    after: list[Row] = []
    while before is None or before != after:
        connection.execute(JUDGED)
        connection.execute(UNCOUNTED)
        before, after = after, connection.execute("FROM uncounted ORDER BY ALL").fetchall()


def written(connection: Any) -> tuple[list[Row], list[Row]]:
    """The same columns of a warehouse's tables, in the same order."""
    found = []
    for table in (FOOTFALL_15M, EMPLOYEE_WORK_15M):
        chosen = []
        for column in table.columns:
            if column.name == "version":
                continue
            if column.type == "instant":
                chosen.append(f"epoch_us({column.name}) AS {column.name}")
            else:
                chosen.append(column.name)
        query = f"SELECT {', '.join(chosen)} FROM {table.name} ORDER BY ALL"
        found.append(connection.execute(query).fetchall())
    return found[0], found[1]


def _load(connection: Any, lines: list[tuple[int, bytes]], chain: Chain, clock: int | None) -> None:
    config = chain.footfall
    hour = 3_600_000_000
    starts_h, starts_m = chain.business_day_starts.split(":")
    connection.execute("CREATE TABLE lines (line INTEGER, text VARCHAR)")
    numbers, texts = [number for number, _ in lines], [line.decode() for _, line in lines]
    connection.execute("INSERT INTO lines SELECT unnest(?), unnest(?)", [numbers, texts])
    late = round(config.late_hours * hour)
    connection.execute(
        "CREATE TABLE p AS SELECT ?::BIGINT AS delay, ?::BIGINT AS late, ?::BIGINT AS apart, "
        "?::DOUBLE AS probability, ?::DOUBLE AS regular, ?::BIGINT AS history, "
        "?::BIGINT AS ahead, to_minutes(?) AS starts, ?::INTEGER AS rate_days, "
        "?::BIGINT AS clock",
        [
            round(config.delay_minutes * 60_000_000),
            late,
            max(late, round(config.apart_hours * hour)),
            config.silence.probability,
            config.silence.regular_share,
            config.silence.forget_days * 96,
            -(-late // QUARTER),
            int(starts_h) * 60 + int(starts_m),
            config.rate_days,
            clock,
        ],
    )
    connection.execute("CREATE TABLE zones (store VARCHAR, zone VARCHAR)")
    for name, place in chain.places.items():
        zone = place.timezone or chain.timezone
        connection.execute("INSERT INTO zones VALUES (?, ?)", [name, zone])
    connection.execute("CREATE TABLE hours (pattern VARCHAR, weekday INT, opens INT, closes INT)")
    for rule in config.hours:
        opens, closes = (
            int(str(at).split(":")[0]) * 60 + int(str(at).split(":")[1])
            for at in (rule.opens, rule.closes)
        )
        closes += 1440 if closes <= opens else 0
        for weekday in rule.weekdays or range(1, 8):
            connection.execute(
                "INSERT INTO hours VALUES (?, ?, ?, ?)", [rule.store, weekday, opens, closes]
            )
