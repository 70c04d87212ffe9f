"""Refusals that several flows have: of lines that are no event, and of facts ahead of the clock."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import msgspec

from operators.judging import bad_event, no_event
from operators.records import Record
from operators.stock.decode import RAW_LIMIT
from operators.stock.decode_records import BadHeaderError, is_binary, structured_line
from operators.stock.refusals import Refusal
from schemas.envelope import Header
from schemas.instants import format_instant

_header = msgspec.json.Decoder(Header)
# Where a fact stood: the name of its file or topic, and its line or offset.
Where = tuple[str, int]


class Sent(Protocol):
    """What a refusal says of a fact; `time` in microseconds since 1970 UTC."""

    @property
    def time(self) -> int:
        """When it happened."""
        ...

    @property
    def source(self) -> str:
        """Who sent it."""
        ...

    @property
    def id(self) -> str:
        """Its name there."""
        ...


def refused_fact(fact: Sent, where: Where, code: str, reason: str) -> Refusal:
    """The refusal of a fact that could be read."""
    return Refusal(*where, code, reason, fact.source, fact.id, fact.time, b"")


def in_the_future(fact: Sent, where: Where, now: int) -> Refusal:
    """The fact's clock is so far ahead that windows would end that have not."""
    return refused_fact(
        fact,
        where,
        "in_the_future",
        f"{format_instant(fact.time)} is too far ahead of the clock ({format_instant(now)}): "
        f"set the clock of {fact.source} right and send the event again",
    )


def refused_line(
    line: bytes, wrong: Exception, where: Where, types: Collection[str]
) -> Refusal | None:
    """Why a line is none of the events of `types`, or None: it is another flow's event.

    `wrong` is what its decoder said.
    """
    header = Header()
    try:
        header = _header.decode(line)
    except (ValueError, RecursionError):
        code, reason = no_event(line, wrong)
    else:
        if header.type in types:
            code, reason = bad_event(wrong)
        elif header.type:
            return None
        else:
            code = "invalid_event"
            reason = "no `type`: every event needs specversion, id, source, type, time and data"
    source, id = header.source or None, header.id or None
    return Refusal(*where, code, reason, source, id, None, line[:RAW_LIMIT])


def line_of(record: Record, value: bytes, origin: str) -> bytes | Refusal:
    """A record's event as one line, whichever way its attributes came; or why there is none."""
    if not is_binary(record.headers):
        return value
    try:
        return structured_line(record.headers, value)
    except BadHeaderError as wrong:
        raw = value[:RAW_LIMIT]
        return Refusal(origin, record.offset, "invalid_event", str(wrong), None, None, None, raw)
