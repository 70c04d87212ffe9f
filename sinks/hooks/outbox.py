"""The sender's side of the store: what is next, what was tried, what became of it.

A message is `ready`, then `sending` (written down before the request leaves), then `sent`. A worker
that dies while one is `sending` cannot know whether it arrived: it is sent again only where the
receiver recognises it or the channel says `when_unknown: resend`, else it is shown as `unknown`.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import msgspec

from operators.notify.case import Message
from sinks.hooks.database import connect
from sinks.sending import store
from sinks.sending.store import DIED
from sinks.sqlite import writing

_MESSAGE = msgspec.msgpack.Decoder(Message)

# Nothing overtakes an earlier message about the same alert on the same route.
_FREE = """
NOT EXISTS (
  SELECT 1 FROM told AS mine JOIN told AS other USING (alert, route)
  JOIN message AS before ON before.id = other.message
  WHERE mine.message = message.id AND before.seq < message.seq
  AND before.state IN ('ready', 'sending'))"""


class Waiting(NamedTuple):
    """A message that may leave now."""

    message: Message
    attempts: int


class Outbox:
    """One channel's view of the store: one connection, used by one thread."""

    def __init__(self, path: Path, channel: str) -> None:
        self._connection = connect(path)
        self._channel = channel

    def next(self, now: int) -> Waiting | None:
        """The gravest message that is due, the oldest of those."""
        row = self._connection.execute(
            "SELECT body, attempts FROM message WHERE channel = ? AND state = 'ready' "
            f"AND due_at <= ? AND {_FREE} ORDER BY rank, seq LIMIT 1",
            [self._channel, now],
        ).fetchone()
        return Waiting(_MESSAGE.decode(row[0]), row[1]) if row is not None else None

    def next_due(self, now: int) -> int | None:
        """When the next message after `now` is due; None when none is."""
        (due,) = self._connection.execute(
            "SELECT min(due_at) FROM message WHERE channel = ? AND state = 'ready' AND due_at > ?",
            [self._channel, now],
        ).fetchone()
        return int(due) if due is not None else None

    def intend(self, message: str, now: int) -> None:
        """Write down that a request is about to leave."""
        with writing(self._connection):
            self._connection.execute(
                "UPDATE message SET state = 'sending', attempts = attempts + 1, changed_at = ? "
                "WHERE id = ?",
                [now, message],
            )
            store.note_request(self._connection, self._channel, now)

    def requests(self) -> list[int]:
        """When requests left within the last minute, ascending; a restart does not forget them."""
        return store.requests(self._connection, self._channel)

    def sent(self, message: str, answer: str, now: int) -> None:
        """The provider has it."""
        self._set(message, "sent", answer, now)

    def again(self, message: str, answer: str, due_at: int, now: int) -> None:
        """It failed and is tried again later."""
        self._set(message, "ready", answer, now, due_at)

    def undeliverable(self, message: str, answer: str, now: int) -> None:
        """It failed for good: kept and shown."""
        self._set(message, "undeliverable", answer, now)

    def unknown(self, message: str, answer: str, now: int) -> None:
        """It left and nobody knows whether it arrived: kept and shown."""
        self._set(message, "unknown", answer, now)

    def recover(self, *, resend: bool, now: int) -> tuple[int, int]:
        """After a start: what was on its way when the last worker ended. (resent, unknown)."""
        target = "ready" if resend else "unknown"
        with writing(self._connection):
            done = self._connection.execute(
                "UPDATE message SET state = ?, answer = ?, changed_at = ?, noticed = ? "
                "WHERE channel = ? AND state = 'sending'",
                [target, DIED, now, int(resend), self._channel],
            )
        return (done.rowcount, 0) if resend else (0, done.rowcount)

    def _set(
        self, message: str, state: str, answer: str, now: int, due_at: int | None = None
    ) -> None:
        failed = state in ("undeliverable", "unknown")
        with writing(self._connection):
            self._connection.execute(
                "UPDATE message SET state = ?, answer = ?, changed_at = ?, noticed = ?, "
                "due_at = coalesce(?, due_at) WHERE id = ?",
                [state, answer, now, int(not failed), due_at, message],
            )

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def orphaned(path: Path, channels: Collection[str]) -> int:
    """How many messages wait for channels that are no longer configured."""
    connection = connect(path)
    try:
        marks = ", ".join("?" * len(channels))
        (count,) = connection.execute(
            "SELECT count(*) FROM message WHERE state IN ('ready', 'sending') "
            f"AND channel NOT IN ({marks})",
            list(channels),
        ).fetchone()
        return int(count)
    finally:
        connection.close()
