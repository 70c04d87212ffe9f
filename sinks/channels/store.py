"""What was heard, committed together with how far was read; and what is to be told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from operators.channels.heard import Asked, Gone, Heard, Said
from operators.inbox import Position, Refused
from schemas.channels import COUPONS
from schemas.message_events import DeliveryStatus
from sinks.channels import credits, gifts
from sinks.channels.database import connect
from sinks.sending import store as sending
from sinks.sqlite import StoreError, writing

# What PRAGMA application_id says of a store.
_SENDING, _SANDBOX = 1, 2
ENDED = ("delivered", "failed", "unknown", "accepted", "erased")


class Report(NamedTuple):
    """What became of a message in a channel; larger `seq` is later."""

    seq: int
    message: str
    channel: str
    member: str
    status: DeliveryStatus
    reason: str
    provider: str
    ref: str
    code: str
    attempts: int
    at: int


class Store:
    """The worker's side of the file: one connection, used by one thread."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)

    def claim(self, *, sandbox: bool) -> None:
        """Keep a store for sending or for a sandbox: what the one has done the other has not.

        Raises:
            StoreError: it is the other one's.
        """
        run, mine = self._connection, _SANDBOX if sandbox else _SENDING
        there = int(run.execute("PRAGMA application_id").fetchone()[0])
        if there not in (0, mine):
            what = "sends messages" if sandbox else "is that of a sandbox, which sends nothing"
            msg = f"this store {what}: say --store with another file"
            raise StoreError(msg)
        run.execute(f"PRAGMA application_id = {mine}")

    def positions(self) -> dict[tuple[str, int], int]:
        """Where reading goes on."""
        return sending.positions(self._connection)

    def commit(
        self,
        heard: Iterable[Heard],
        positions: Iterable[Position],
        refused: Iterable[Refused],
        channels: Collection[str],
        now: int,
    ) -> int:
        """Take in what was heard, with how far was read; how many messages are new."""
        run, new = self._connection, 0
        with writing(run):
            for one in heard:
                if isinstance(one, Asked):
                    new += self._ask(one, channels, now)
                elif isinstance(one, Gone):
                    self._erase(one)
                elif self._gone(one.member):
                    # Topics are read in any order: nothing is kept of who is forgotten by now.
                    continue
                elif isinstance(one, Said):
                    run.execute(
                        "INSERT INTO consent VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                        "at = excluded.at, strictness = excluded.strictness, "
                        "status = excluded.status WHERE (excluded.at, excluded.strictness) > "
                        "(consent.at, consent.strictness)",
                        [one.member, one.purpose, one.channel, one.at, one.strictness, one.status],
                    )
                else:
                    credits.add(run, one)
            sending.read_on(run, positions, refused)
        return new

    def _ask(self, asked: Asked, channels: Collection[str], now: int) -> int:
        """Put a message to what waits; the same decision again is none."""
        usable = [one for one in asked.channels if one in channels and one != COUPONS]
        if asked.action == "give":
            # It waits for a desk, whether or not there is one by now.
            usable = [COUPONS]
        if asked.first_available or len(usable) < 2:
            ways = [(asked.id, usable)]
        else:
            # One in each channel: each is a message of its own.
            ways = [(f"{asked.id}/{one}", [one]) for one in usable]
        desk = COUPONS in channels
        return sum(self._put(name, asked, way, now, desk=desk) for name, way in ways)

    def _put(self, name: str, asked: Asked, way: Sequence[str], now: int, *, desk: bool) -> int:
        run, gone = self._connection, self._gone(asked.member)
        state = "erased" if gone else "ready" if way else "failed"
        channel = way[0] if way else ",".join(asked.channels)
        done = run.execute(
            "INSERT OR IGNORE INTO message "
            "(id, decision, member, channel, later, state, due_at, changed_at, not_after, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                name,
                asked.id,
                "" if gone else asked.member,
                channel,
                msgspec.json.encode(list(way[1:])).decode(),
                state,
                now if state == "ready" else None,
                now,
                asked.not_after,
                b"" if gone else msgspec.msgpack.encode(asked),
            ],
        )
        if done.rowcount and state == "ready" and channel == COUPONS and not desk:
            gifts.keep(run, name, asked.member, gifts.NO_DESK)
            run.execute("UPDATE message SET answer = ? WHERE id = ?", [gifts.NO_DESK_WORDS, name])
        if done.rowcount and state == "failed":
            about = (asked.id, channel, asked.member, "failed", "no_channel", "", "", "", 0, now)
            run.execute(INSERT_REPORT, about)
        return done.rowcount

    def _gone(self, member: str) -> bool:
        row = self._connection.execute("SELECT 1 FROM erased WHERE member = ?", [member])
        return row.fetchone() is not None

    def _erase(self, gone: Gone) -> None:
        """Forget people: of their messages only the ids stay, so that none is ever sent."""
        run = self._connection
        for member in gone.members:
            run.execute("INSERT OR IGNORE INTO erased VALUES (?, 0)", [member])
            run.execute(
                "UPDATE message SET state = 'erased', member = '', due_at = NULL, ref = '', "
                "answer = '', body = x'' WHERE member = ?",
                [member],
            )
            for table in ("report", "consent", "credit", "credit_use", "gift"):
                run.execute(f"DELETE FROM {table} WHERE member = ?", [member])

    def reports(self, most: int = 1000) -> list[Report]:
        """What is to be told, in order."""
        rows = self._connection.execute("SELECT * FROM report ORDER BY seq LIMIT ?", [most])
        return [Report._make(row) for row in rows]

    def erased(self) -> list[str]:
        """Members whose erasure is to be told."""
        rows = self._connection.execute("SELECT member FROM erased WHERE told = 0")
        return [member for (member,) in rows]

    def told(self, reports: Sequence[Report], erased: Sequence[str]) -> None:
        """They need not be told again."""
        with writing(self._connection):
            if reports:
                self._connection.execute("DELETE FROM report WHERE seq <= ?", [reports[-1].seq])
            self._connection.executemany(
                "UPDATE erased SET told = 1 WHERE member = ?", [(each,) for each in erased]
            )

    def leaving(self, channels: Collection[str], now: int) -> bool:
        """Whether a message of those channels is on its way, in doubt or due."""
        marks = ", ".join("?" * len(channels))
        row = self._connection.execute(
            f"SELECT 1 FROM message WHERE channel IN ({marks}) AND (state IN ('sending', 'doubt') "
            "OR (state = 'ready' AND (due_at <= ? OR doubted))) LIMIT 1",
            [*channels, now],
        ).fetchone()
        return row is not None

    def prune(self, before: int) -> int:
        """Forget messages that ended before an instant and are too old to be asked for; how many.

        What is forgotten could be sent again, so what may still be sent is kept.
        """
        marks = ", ".join("?" * len(ENDED))
        with writing(self._connection):
            gone = self._connection.execute(
                f"DELETE FROM message WHERE ((state IN ({marks}) AND due_at IS NULL) "
                "OR (state = 'ready' AND channel = ?)) AND changed_at < ? AND not_after < ?",
                [*ENDED, COUPONS, before, before],
            ).rowcount
            self._connection.execute(
                "DELETE FROM gift WHERE message NOT IN (SELECT id FROM message)"
            )
            return gone

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


INSERT_REPORT = (
    "INSERT INTO report (message, channel, member, status, reason, provider, ref, code, attempts, "
    "at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
