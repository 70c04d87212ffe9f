"""What the desk knows and what is to be sent, committed together with how far was read."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import msgspec

from operators.inbox import Position, Refused
from operators.notify.case import Case, Message, RouteState
from operators.notify.desk import Desk
from sinks.hooks.database import connect
from sinks.sending import store as sending
from sinks.sqlite import writing

_CASE = msgspec.msgpack.Decoder(Case)
_ROUTE = msgspec.msgpack.Decoder(RouteState)
_MESSAGE = msgspec.msgpack.Decoder(Message)
_encode = msgspec.msgpack.encode


class Store:
    """The worker's side of the file: one connection, used by one thread."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)

    def restore(self, desk: Desk) -> None:
        """Give a desk what was known when the last batch was committed."""
        cases = self._connection.execute("SELECT body FROM alert_case")
        routes = self._connection.execute("SELECT route, body FROM route_state")
        desk.restore(
            (_CASE.decode(body) for (body,) in cases),
            [(route, _ROUTE.decode(body)) for route, body in routes],
        )

    def positions(self) -> dict[tuple[str, int], int]:
        """Where reading goes on."""
        return sending.positions(self._connection)

    def commit(
        self,
        desk: Desk,
        messages: Sequence[tuple[Message, str]],
        positions: Iterable[Position] = (),
        refused: Iterable[Refused] = (),
        *,
        now: int,
        gone: Iterable[str] = (),
        applied: Iterable[str] = (),
        noticed: Iterable[str] = (),
    ) -> None:
        """Make one step durable, all of it at once: states, messages, position.

        `messages` come with their channel; `applied` are alerts whose acknowledgement the desk has
        taken in, `noticed` messages whose failure it has.
        """
        run = self._connection
        with writing(run):
            for message, channel in messages:
                self._put(message, channel, now)
            run.executemany(
                "INSERT OR REPLACE INTO alert_case VALUES (?, ?)",
                [(alert, _encode(desk.cases[alert])) for alert in desk.changed_cases],
            )
            # Open anew after somebody took care of it: that does not count any more.
            run.executemany(
                "DELETE FROM acknowledgement WHERE alert = ? AND applied = 1",
                [
                    (alert,)
                    for alert in desk.changed_cases
                    if desk.cases[alert].acknowledged_at is None
                ],
            )
            run.executemany(
                "INSERT OR REPLACE INTO route_state VALUES (?, ?)",
                [(name, _encode(desk.routes[name])) for name in desk.changed_routes],
            )
            sending.read_on(run, positions, refused)
            gone = list(gone)
            run.executemany("DELETE FROM alert_case WHERE alert = ?", [(each,) for each in gone])
            run.executemany(
                "DELETE FROM acknowledgement WHERE alert = ?", [(each,) for each in gone]
            )
            run.executemany(
                "UPDATE acknowledgement SET applied = 1 WHERE alert = ?",
                [(each,) for each in applied],
            )
            run.executemany(
                "UPDATE message SET noticed = 1 WHERE id = ?", [(each,) for each in noticed]
            )
        desk.changed_cases.clear()
        desk.changed_routes.clear()

    def _put(self, message: Message, channel: str, now: int) -> None:
        run = self._connection
        told = run.executemany(
            "INSERT OR IGNORE INTO told VALUES (?, ?, ?, ?)",
            [(item.notice.alert, item.key, message.route, message.id) for item in message.items],
        )
        if told.rowcount == 0:
            return  # every state in it was told by an earlier message
        alerts = [item.notice.alert for item in message.items]
        marks = ", ".join("?" * len(alerts))
        # An update that did not leave yet is said by this message, too.
        run.execute(
            "UPDATE message SET state = 'folded', changed_at = ?, answer = ? "
            "WHERE state = 'ready' AND kind = 'updated' AND route = ? AND id IN "
            f"(SELECT message FROM told WHERE route = ? AND alert IN ({marks})) AND id <> ?",
            [now, f"said by {message.id}", message.route, message.route, *alerts, message.id],
        )
        rank = min(item.notice.rank for item in message.items)
        run.execute(
            "INSERT OR IGNORE INTO message "
            "(id, route, channel, kind, rank, made_at, state, due_at, changed_at, body) "
            "VALUES (?, ?, ?, ?, ?, ?, 'ready', ?, ?, ?)",
            [
                message.id,
                message.route,
                channel,
                message.kind,
                rank,
                message.made_at,
                message.made_at,
                now,
                _encode(message),
            ],
        )

    def acknowledged(self) -> list[tuple[str, int]]:
        """Acknowledgements the desk has not taken in yet: alert and when."""
        rows = self._connection.execute(
            "SELECT alert, at FROM acknowledgement WHERE applied = 0 ORDER BY at"
        )
        return [(alert, at) for alert, at in rows]

    def failed(self) -> list[tuple[str, str, list[str]]]:
        """Messages that may have reached nobody, not noticed yet: id, route and alerts."""
        rows = self._connection.execute("SELECT id, route, body FROM message WHERE noticed = 0")
        return [
            (name, route, [item.notice.alert for item in _MESSAGE.decode(body).items])
            for name, route, body in rows
        ]

    def data_version(self) -> int:
        """A number that changes when another connection changed the file."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def leaving(self, channels: Collection[str], now: int) -> bool:
        """Whether a message of those channels is on its way or due."""
        marks = ", ".join("?" * len(channels))
        row = self._connection.execute(
            f"SELECT 1 FROM message WHERE channel IN ({marks}) "
            "AND (state = 'sending' OR (state = 'ready' AND due_at <= ?)) LIMIT 1",
            [*channels, now],
        ).fetchone()
        return row is not None

    def prune(self, before: int) -> int:
        """Forget messages that ended before an instant; how many."""
        run = self._connection
        with writing(run):
            run.execute(
                "DELETE FROM told WHERE message IN (SELECT id FROM message WHERE changed_at < ? "
                "AND state IN ('sent', 'folded', 'undeliverable', 'unknown'))",
                [before],
            )
            ended = run.execute(
                "DELETE FROM message WHERE changed_at < ? "
                "AND state IN ('sent', 'folded', 'undeliverable', 'unknown')",
                [before],
            )
        return ended.rowcount

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def acknowledge(connection: sqlite3.Connection, alerts: Iterable[str], by: str, at: int) -> None:
    """Write down who takes care of alerts; the first one counts."""
    with writing(connection):
        connection.executemany(
            "INSERT OR IGNORE INTO acknowledgement (alert, by, at) VALUES (?, ?, ?)",
            [(alert, by, at) for alert in alerts],
        )


def read_message(connection: sqlite3.Connection, name: str) -> Message | None:
    """A message by its id, None where there is none."""
    row = connection.execute("SELECT body FROM message WHERE id = ?", [name]).fetchone()
    return _MESSAGE.decode(row[0]) if row is not None else None


def acknowledged_by(connection: sqlite3.Connection, alert: str) -> tuple[str, int] | None:
    """Who takes care of an alert and since when, None where nobody does."""
    row = connection.execute(
        "SELECT by, at FROM acknowledgement WHERE alert = ?", [alert]
    ).fetchone()
    return (str(row[0]), int(row[1])) if row is not None else None
