"""Where alerts come from, as the worker sees it: batches with the place where reading goes on."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec

from operators.notify.notice import Notice, Unreadable, notice_of


class Position(NamedTuple):
    """Where reading goes on: the next offset of a topic's partition, the next byte of a file."""

    topic: str
    part: int
    next: int


class Refused(NamedTuple):
    """A record that could not be read, and why."""

    topic: str
    part: int
    at: int
    reason: str
    raw: bytes


class Batch(NamedTuple):
    """What was read at once; `positions` are to be committed together with what follows from it."""

    notices: list[Notice]
    refused: list[Refused]
    positions: list[Position]


class Inbox(Protocol):
    """Something to read alerts from."""

    def read(self, timeout: float) -> Batch:
        """What is there; waits for something at most so many seconds."""
        ...

    def ended(self) -> bool:
        """Whether all was read that was there at the start."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class _Envelope(msgspec.Struct):
    type: str
    data: msgspec.Raw


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def notice_of_envelope(raw: bytes) -> Notice | None:
    """The notice in an event of structured JSON; None for events of other types.

    Raises:
        Unreadable: it is no event, or an alert that is none.
    """
    try:
        envelope = _ENVELOPE.decode(raw)
    except msgspec.DecodeError as wrong:
        msg = f"this is no CloudEvent: {wrong}"
        raise Unreadable(msg) from None
    return notice_of(envelope.type, envelope.data)
