"""What people ask a store: which messages there are, and what became of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import NamedTuple

STATES = ("ready", "sending", "doubt", "accepted", "delivered", "failed", "unknown", "erased")
# Those somebody should look at.
TROUBLED = ("doubt", "unknown", "failed")


class Listed(NamedTuple):
    """One message as it is shown."""

    id: str
    member: str
    channel: str
    state: str
    changed_at: int
    attempts: int
    answer: str


def listed(
    connection: sqlite3.Connection, states: Collection[str], limit: int = 50
) -> list[Listed]:
    """The newest messages in those states, newest first."""
    marks = ", ".join("?" * len(states))
    rows = connection.execute(
        "SELECT id, member, channel, state, changed_at, attempts, answer FROM message "
        f"WHERE state IN ({marks}) ORDER BY seq DESC LIMIT ?",
        [*states, limit],
    )
    return [Listed._make(row) for row in rows]


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many messages there are in each state."""
    rows = connection.execute("SELECT state, count(*) FROM message GROUP BY state")
    found = {state: int(count) for state, count in rows}
    return {state: found[state] for state in STATES if state in found}


def refused(connection: sqlite3.Connection, limit: int = 50) -> list[tuple[str, str]]:
    """Records that could not be read: where they stood and why."""
    rows = connection.execute(
        "SELECT topic, part, at, reason FROM refused ORDER BY topic, part, at DESC LIMIT ?",
        [limit],
    )
    return [(f"{topic}/{part} at {at}", reason) for topic, part, at, reason in rows]
