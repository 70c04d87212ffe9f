"""What people ask a store: which messages there are, what failed, and to send it again."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from operators.notify.case import Message
from sinks.sending import store
from sinks.sqlite import writing

STATES = ("ready", "sending", "sent", "unknown", "undeliverable", "folded")
# Those somebody should look at.
TROUBLED = ("unknown", "undeliverable")

_MESSAGE = msgspec.msgpack.Decoder(Message)


class Listed(NamedTuple):
    """One message as it is shown."""

    id: str
    route: str
    channel: str
    kind: str
    state: str
    made_at: int
    changed_at: int
    due_at: int
    attempts: int
    answer: str
    alerts: list[str]


def listed(
    connection: sqlite3.Connection, states: Collection[str], limit: int = 50
) -> list[Listed]:
    """The newest messages in those states, newest first."""
    marks = ", ".join("?" * len(states))
    rows = connection.execute(
        "SELECT id, route, channel, kind, state, made_at, changed_at, due_at, attempts, answer, "
        f"body FROM message WHERE state IN ({marks}) ORDER BY seq DESC LIMIT ?",
        [*states, limit],
    )
    return [
        Listed._make((*row, [item.notice.alert for item in _MESSAGE.decode(body).items]))
        for *row, body in rows
    ]


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many messages there are in each state."""
    return store.counts(connection, STATES)


def resend(connection: sqlite3.Connection, ids: Sequence[str], now: int) -> list[str]:
    """Make failed messages ready again; the ids of those that are.

    Only what is unknown or undeliverable: what was sent stays sent.
    """
    done = []
    with writing(connection):
        for name in ids:
            changed = connection.execute(
                "UPDATE message SET state = 'ready', attempts = 0, due_at = ?, changed_at = ? "
                "WHERE id = ? AND state IN ('unknown', 'undeliverable')",
                [now, now, name],
            )
            if changed.rowcount:
                done.append(name)
    return done


def forget_positions(connection: sqlite3.Connection) -> int:
    """Forget where reading goes on; what was told stays told."""
    with writing(connection):
        return connection.execute("DELETE FROM position").rowcount
