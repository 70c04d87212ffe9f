"""What people ask a store: which messages there are, and what became of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import NamedTuple

STATES = (
    "ready",
    "kept",
    "sending",
    "doubt",
    "accepted",
    "delivered",
    "failed",
    "unknown",
    "erased",
)
# Those somebody should look at.
TROUBLED = ("kept", "doubt", "unknown", "failed")
# What waits because the coupon desk does not issue it as things are is kept.
_SEEN = (
    "(SELECT m.seq, m.id, m.member, m.channel, m.changed_at, m.attempts, m.answer, "
    "CASE WHEN m.state = 'ready' AND g.reason <> '' THEN 'kept' ELSE m.state END AS state "
    "FROM message m LEFT JOIN gift g ON g.message = m.id)"
)


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
        f"SELECT id, member, channel, state, changed_at, attempts, answer FROM {_SEEN} "
        f"WHERE state IN ({marks}) ORDER BY seq DESC LIMIT ?",
        [*states, limit],
    )
    return [Listed._make(row) for row in rows]


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many messages there are in each state."""
    rows = connection.execute(f"SELECT state, count(*) FROM {_SEEN} GROUP BY state")
    found = {state: int(count) for state, count in rows}
    return {state: found[state] for state in STATES if state in found}
