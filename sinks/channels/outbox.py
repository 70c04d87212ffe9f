"""The sender's side of the store: what is next, what was tried, what became of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from operators.channels.heard import Asked
from operators.channels.judge import Judged, Standing
from schemas.message_events import DeliveryStatus
from sinks.channels import credits, gifts
from sinks.channels.database import connect
from sinks.channels.gifts import Gift
from sinks.channels.store import INSERT_REPORT
from sinks.sending import store
from sinks.sqlite import writing

_ASKED = msgspec.msgpack.Decoder(Asked)


class Waiting(NamedTuple):
    """A message with which something is to be done: send it, or ask what became of it."""

    id: str
    asked: Asked
    state: str
    attempts: int
    questions: int
    left_at: int
    doubted: bool
    ref: str
    answer: str


class Outbox:
    """One channel's view of the store: one connection, used by one thread.

    Every change of state comes with what is told of it, in one transaction, and only if the message
    is still in the state in which it was taken: an erasure in between stands.
    """

    def __init__(self, path: Path, channel: str, provider: str) -> None:
        self._connection = connect(path)
        self._channel = channel
        self._provider = provider

    def next(self, now: int) -> Waiting | None:
        """What is due: what is in doubt, then what waits longest, then receipts."""
        row = self._connection.execute(
            "SELECT id, body, state, attempts, asked, left_at, doubted, ref, answer FROM message "
            "WHERE channel = ? AND state IN ('ready', 'doubt', 'accepted') AND due_at <= ? "
            "ORDER BY CASE state WHEN 'doubt' THEN 0 WHEN 'ready' THEN 1 ELSE 2 END, due_at, seq "
            "LIMIT 1",
            [self._channel, now],
        ).fetchone()
        if row is None:
            return None
        return _waiting(row)

    def next_due(self, now: int) -> int | None:
        """When something is due after `now`; None when nothing is."""
        (due,) = self._connection.execute(
            "SELECT min(due_at) FROM message WHERE channel = ? "
            "AND state IN ('ready', 'doubt', 'accepted') AND due_at > ?",
            [self._channel, now],
        ).fetchone()
        return int(due) if due is not None else None

    def claim(
        self, one: Waiting, judge: Callable[[Standing], Judged], template: str | None, now: int
    ) -> Judged:
        """Judge once more and, if it may go, write down that its request is about to leave.

        `template`: the one of which a consent is used up. All in one transaction: nothing that
        comes to be known can slip in between the judgement and the note.
        """
        run = self._connection
        with writing(run):
            judged = judge(self._standing(one.asked.member))
            if judged.verdict != "go":
                return judged
            if template is not None:
                taken = credits.take(run, one.id, one.asked.member, template)
                if taken == "none":
                    return Judged("next", "no_credit")
            done = run.execute(
                "UPDATE message SET state = 'sending', attempts = attempts + 1, changed_at = ?, "
                "asked = 0, left_at = CASE WHEN doubted THEN left_at ELSE ? END "
                "WHERE id = ? AND state = 'ready'",
                [now, now, one.id],
            )
            if not done.rowcount:
                return Judged("stop", "erased")
            store.note_request(self._connection, self._channel, now)
        return judged

    def _standing(self, member: str) -> Standing:
        run = self._connection
        rows = run.execute(
            "SELECT purpose, channel, at, strictness, status FROM consent WHERE member = ?",
            [member],
        )
        said = {
            (purpose, channel): (at, strict, 0, status, None, None)
            for purpose, channel, at, strict, status in rows
        }
        gone = run.execute("SELECT 1 FROM erased WHERE member = ?", [member]).fetchone()
        return Standing(said, gone is not None)

    def gift_of(self, asked: Asked) -> Gift:
        """The gift that a message may speak of."""
        return gifts.gift_of(self._connection, asked)

    def question(self, now: int) -> None:
        """Write down that a provider is about to be asked."""
        with writing(self._connection):
            store.note_request(self._connection, self._channel, now)

    def requests(self) -> list[int]:
        """When requests left within the last minute, ascending; a restart does not forget them."""
        return store.requests(self._connection, self._channel)

    def again(self, one: Waiting, answer: str, due_at: int, now: int, *, doubted: bool) -> None:
        """It is sent (again) later; one that waits for a gift at once, if that is there by now."""
        with writing(self._connection):
            if answer == gifts.WAITS and self.gift_of(one.asked).state != "waits":
                # It came to be known since the message was judged, and nobody wakes it again.
                due_at = now
            self._set(one, "ready", answer, now, due_at=due_at, doubted=doubted)

    def doubt(self, one: Waiting, answer: str, due_at: int, now: int) -> None:
        """The provider is asked (again) what became of it."""
        with writing(self._connection):
            state = "accepted" if one.state == "accepted" else "doubt"
            self._set(one, state, answer, now, due_at=due_at, questions=one.questions + 1)

    def accepted(
        self,
        one: Waiting,
        ref: str,
        code: str,
        answer: str,
        now: int,
        *,
        ask_at: int | None,
        until: int = 0,
    ) -> None:
        """The provider has it; it is asked at `ask_at` whether it was delivered.

        `until` (ms): so long a gift is valid.
        """
        run = self._connection
        with writing(run):
            if not self._set(one, "accepted", answer, now, due_at=ask_at, ref=ref):
                return
            if one.asked.action == "give":
                gifts.issued(run, one.id, one.asked.member, until)
                gifts.settled(run, one.asked.member, now)
            self._tell(one, "accepted", "", ref, code, now)

    def delivered(self, one: Waiting, ref: str, code: str, answer: str, now: int) -> None:
        """The member has it."""
        with writing(self._connection):
            if self._set(one, "delivered", answer, now, ref=ref):
                if one.state != "accepted":
                    self._tell(one, "accepted", "", ref, code, now)
                self._tell(one, "delivered", "", ref, code, now)

    def kept(self, one: Waiting, reason: str, answer: str, due_at: int, now: int) -> None:
        """It cannot be done as things are: told once, and tried again later."""
        run = self._connection
        with writing(run):
            if not self._set(one, "ready", answer, now, due_at=due_at, doubted=False):
                return
            if not gifts.told(run, one.id):
                self._tell(one, "failed", reason, "", reason, now)
            gifts.keep(run, one.id, one.asked.member, reason)

    def unknown(self, one: Waiting, code: str, answer: str, now: int) -> None:
        """It left, and nobody can learn whether it arrived."""
        with writing(self._connection):
            if self._set(one, "unknown", answer, now):
                self._tell(one, "unknown", "", one.ref, code, now)

    def settled(self, one: Waiting, answer: str, now: int) -> None:
        """Nothing more is asked about a message that was taken."""
        with writing(self._connection):
            self._set(one, "accepted", answer, now)

    def refused(
        self,
        one: Waiting,
        reason: str,
        code: str,
        answer: str,
        now: int,
        *,
        stop: bool = False,
        out_of: str | None = None,
    ) -> None:
        """It does not go in this channel: to the next one, unless there is none or it is to stop.

        `out_of`: the template of which the provider says that no consent is left.
        """
        run = self._connection
        with writing(run):
            if out_of is None:
                credits.give_back(run, one.id)
            else:
                credits.forget(run, one.asked.member, out_of, message=one.id)
            (later,) = run.execute("SELECT later FROM message WHERE id = ?", [one.id]).fetchone()
            left = msgspec.json.decode(later, type=list[str])
            if stop or not left:
                told = gifts.told(run, one.id)
                if one.asked.action == "give":
                    gifts.settled(run, one.asked.member, now)
                if told:
                    # Why it was not done is known by now; that it is too late adds nothing.
                    answer = f"{one.answer}; {answer}" if one.answer else answer
                if self._set(one, "failed", answer, now) and not told:
                    self._tell(one, "failed", reason, one.ref, code, now)
            elif self._set(one, "ready", answer, now, due_at=now, doubted=False):
                self._tell(one, "failed", reason, one.ref, code, now)
                run.execute(
                    "UPDATE message SET channel = ?, later = ?, attempts = 0, asked = 0, ref = '' "
                    "WHERE id = ?",
                    [left[0], msgspec.json.encode(left[1:]).decode(), one.id],
                )

    def last_credit(self, one: Waiting) -> bool:
        """Whether it used up the last consent of its member."""
        return credits.was_last(self._connection, one.id)

    def try_kept(self, now: int) -> None:
        """After a start: what was kept is tried at once."""
        with writing(self._connection):
            self._connection.execute(
                "UPDATE message SET due_at = ? WHERE channel = ? AND state = 'ready' "
                "AND id IN (SELECT message FROM gift WHERE reason <> '')",
                [now, self._channel],
            )

    def on_its_way(self) -> list[Waiting]:
        """After a start: what was on its way when the last worker ended."""
        rows = self._connection.execute(
            "SELECT id, body, state, attempts, asked, left_at, doubted, ref, answer FROM message "
            "WHERE channel = ? AND state = 'sending'",
            [self._channel],
        ).fetchall()
        return list(map(_waiting, rows))

    def _set(
        self,
        one: Waiting,
        state: str,
        answer: str,
        now: int,
        *,
        due_at: int | None = None,
        doubted: bool | None = None,
        questions: int | None = None,
        ref: str | None = None,
    ) -> bool:
        done = self._connection.execute(
            "UPDATE message SET state = ?, answer = ?, changed_at = ?, due_at = ?, "
            "doubted = coalesce(?, doubted), asked = coalesce(?, asked), ref = coalesce(?, ref) "
            "WHERE id = ? AND state <> 'erased'",
            [state, answer, now, due_at, doubted, questions, ref, one.id],
        )
        return done.rowcount > 0

    def _tell(
        self, one: Waiting, status: DeliveryStatus, reason: str, ref: str, code: str, now: int
    ) -> None:
        (attempts,) = self._connection.execute(
            "SELECT attempts FROM message WHERE id = ?", [one.id]
        ).fetchone()
        about = (one.asked.id, self._channel, one.asked.member, status, reason)
        provider = (self._provider, ref, code, attempts, now)
        self._connection.execute(INSERT_REPORT, [*about, *provider])

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _waiting(row: tuple[Any, ...]) -> Waiting:
    name, body, state, attempts, questions, left_at, doubted, ref, answer = row
    asked = _ASKED.decode(body)
    return Waiting(name, asked, state, attempts, questions, left_at, bool(doubted), ref, answer)
