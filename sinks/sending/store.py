"""What every store of messages holds beside them: how far was read, and when requests left."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from operators.inbox import Position, Refused
from schemas.instants import MINUTE_US

RAW_KEPT = 64 * 1024
DIED = "the worker ended between the request and its answer"

# Positions are the next offset (byte, for a file) of what is read: with what follows from it,
# never apart.
POSITION = """
    CREATE TABLE position (
      topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (topic, part)
    ) WITHOUT ROWID
    """
REQUEST = "CREATE TABLE request (channel TEXT NOT NULL, at INTEGER NOT NULL)"
REFUSED = """
    CREATE TABLE refused (
      topic TEXT NOT NULL, part INTEGER NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL,
      raw BLOB NOT NULL, PRIMARY KEY (topic, part, at)
    ) WITHOUT ROWID
    """


def positions(connection: sqlite3.Connection) -> dict[tuple[str, int], int]:
    """Where reading goes on."""
    rows = connection.execute("SELECT topic, part, next FROM position")
    return {(topic, part): offset for topic, part, offset in rows}


def read_on(
    connection: sqlite3.Connection, positions: Iterable[Position], refused: Iterable[Refused]
) -> None:
    """Note how far was read and what could not be, in the transaction of what follows from it."""
    connection.executemany("INSERT OR REPLACE INTO position VALUES (?, ?, ?)", positions)
    connection.executemany(
        "INSERT OR IGNORE INTO refused VALUES (?, ?, ?, ?, ?)",
        [each._replace(raw=each.raw[:RAW_KEPT]) for each in refused],
    )


def note_request(connection: sqlite3.Connection, channel: str, now: int) -> None:
    """Note that a request of a channel is about to leave."""
    connection.execute("INSERT INTO request VALUES (?, ?)", [channel, now])
    connection.execute(
        "DELETE FROM request WHERE channel = ? AND at <= ?", [channel, now - MINUTE_US]
    )


def requests(connection: sqlite3.Connection, channel: str) -> list[int]:
    """When its requests left within the last minute, ascending; a restart does not forget them."""
    rows = connection.execute("SELECT at FROM request WHERE channel = ? ORDER BY at", [channel])
    return [at for (at,) in rows]


def counts(connection: sqlite3.Connection, states: Sequence[str]) -> dict[str, int]:
    """How many messages there are in each state, in that order."""
    rows = connection.execute("SELECT state, count(*) FROM message GROUP BY state")
    found = {state: int(count) for state, count in rows}
    return {state: found[state] for state in states if state in found}


def refused(connection: sqlite3.Connection, limit: int = 50) -> list[tuple[str, str]]:
    """Records that could not be read: where they stood and why."""
    rows = connection.execute(
        "SELECT topic, part, at, reason FROM refused ORDER BY topic, part, at DESC LIMIT ?",
        [limit],
    )
    return [(f"{topic}/{part} at {at}", reason) for topic, part, at, reason in rows]
