"""What people ask a store: which messages there are, and what became of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import NamedTuple

from sinks.sending import store

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
    return store.counts(connection, STATES)
