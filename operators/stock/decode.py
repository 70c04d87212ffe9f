"""Blocks of input to facts for the shards, and to refusals for what is no event.

A block is a run of whole lines (or records) as they came. Every line ends up as a fact, as an
event of another flow, as blank, or as a refusal that says what was wrong with it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Literal, NamedTuple
from zlib import crc32

import msgspec
import numpy as np

from operators.judging import bad_event, no_event
from operators.stock.facts import Batch, Fact
from operators.stock.holds import confirmed_hold
from operators.stock.refusals import Refusal
from schemas.envelope import EVENT_STRUCTS, Header, Instant, ReservationEvent
from schemas.instants import SECOND_US, midnight_of, to_micros
from schemas.movement import MOVEMENT_TYPE, LedgerMovement, Movement, Name
from schemas.reservation import RESERVATION_TYPE

# A dead letter keeps the bytes as they came, up to here.
RAW_LIMIT = 64 * 1024
# Names of SKUs repeat for ever; past this many the memory of their shards is started afresh.
KNOWN_SKUS = 2_000_000


class _Line(msgspec.Struct, gc=False):
    """What the ledger needs of schemas.envelope.MovementEvent: the rest is not even read."""

    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: Literal["stock.movement.v1"]
    time: Instant
    data: LedgerMovement
    recordedtime: Instant | None = None


class _Movement(_Line, gc=False):
    data: Movement


_event = msgspec.json.Decoder(_Movement)
_reservation = msgspec.json.Decoder(ReservationEvent)
_header = msgspec.json.Decoder(Header)


_NEWLINE, _RETURN, _OPEN, _CLOSE = b"\n\r{}"
# What calendars and the warehouse can keep: a year of 1 or 9999 is some system's "no date".
EARLIEST = to_micros(datetime(1900, 1, 1, tzinfo=UTC))
LATEST = to_micros(datetime(3000, 1, 1, tzinfo=UTC))


class Block(NamedTuple):
    """Whole lines of one file, the last one without its end.

    `first` is the number of the first one, counted from 1, `total` how many there are.
    """

    origin: str
    first: int
    total: int
    lines: bytes


class BlockRead(NamedTuple):
    """How many lines were what; `newest`: the time of the last events, microseconds since 1970."""

    lines: int
    events: int
    others: int
    newest: int | None


class Decoded(NamedTuple):
    """What a block held: facts by shard, refusals, and how many lines were what."""

    batches: list[Batch]
    refusals: list[Refusal]
    read: BlockRead


class Sharder:
    """Which shard a SKU belongs to: a fixed number of shards, part of the stored state."""

    def __init__(self, shards: int) -> None:
        self.shards = shards
        self._known: dict[str, int] = {}

    def of(self, sku: str) -> int:
        """The shard of a SKU; the same on every machine."""
        if len(self._known) >= KNOWN_SKUS:
            self._known.clear()
        shard = self._known[sku] = crc32(sku.encode()) % self.shards
        return shard

    def decode(self, block: Block) -> Decoded:
        """Decode a block's lines into facts by shard, in the order of the lines."""
        buckets = self._empty(block.origin)
        refusals: list[Refusal] = []
        total = block.total
        events = _decode_whole(block.lines, total)
        if events is not None:
            try:
                self._sort(events, block.first, buckets)
            except OverflowError:
                buckets = self._empty(block.origin)
            else:
                return _decoded(buckets, refusals, total, 0)
        # Something in the block is no movement: line by line, so that each gets its own reason.
        blank = others = 0
        for number, line in enumerate(block.lines.split(b"\n"), block.first):
            try:
                event = _read(line)
                if event is None:
                    others += 1
                else:
                    self._sort([event], number, buckets)
            except (ValueError, RecursionError, OverflowError) as wrong:
                if not line.strip():
                    blank += 1
                    continue
                refusal = judge_line(line, block.origin, number, wrong)
                if refusal is None:
                    others += 1
                else:
                    refusals.append(refusal)
        return _decoded(buckets, refusals, total - blank, others)

    def _empty(self, origin: str) -> list[Batch]:
        return [Batch(shard, origin, array("Q"), []) for shard in range(self.shards)]

    def _sort(
        self,
        events: Sequence[_Line],
        position: int,
        buckets: list[Batch],
    ) -> None:
        """Put the events of consecutive lines into the buckets of their shards.

        Raises:
            OverflowError: a time is beyond what can be kept; some are in the buckets already, of
                one event none.
        """
        known = self._known.get
        put = [bucket.facts.append for bucket in buckets]
        put_position = [bucket.positions.append for bucket in buckets]
        zone: tzinfo | None = None
        day = midnight = 0
        for event in events:
            movement = event.data
            shard = known(movement.sku)
            if shard is None:
                shard = self.of(movement.sku)
            # schemas.instants.to_micros in place, from the midnight of the event before: a call and
            # a subtraction of aware datetimes would take half of all decoding.
            instant = event.time
            if instant.tzinfo is not zone or instant.toordinal() != day:
                zone, day = instant.tzinfo, instant.toordinal()
                midnight = _kept(midnight_of(instant))
            seconds = (instant.hour * 60 + instant.minute) * 60 + instant.second
            time = midnight + (seconds * SECOND_US + instant.microsecond)
            recorded = event.recordedtime
            put[shard](
                Fact(
                    time,
                    event.source,
                    event.id,
                    movement,
                    0 if recorded is None else _kept(to_micros(recorded)),
                )
            )
            put_position[shard](position)
            position += 1


def _read(line: bytes) -> _Line | None:
    """The event of a line; None for what the hold gate says and is no concern here.

    Raises:
        ValueError: it is no event of this flow.
    """
    try:
        return _event.decode(line)
    except ValueError:
        if RESERVATION_TYPE.encode() not in line or _header.decode(line).type != RESERVATION_TYPE:
            raise
    event = _reservation.decode(line)
    confirmed = confirmed_hold(event.data)
    if confirmed is None:
        return None
    return _Line("1.0", event.id, event.source, "stock.movement.v1", event.time, confirmed)


def _kept(micros: int) -> int:
    if EARLIEST <= micros < LATEST:
        return micros
    msg = "time: before the year 1900 or after 2999"
    raise OverflowError(msg)


def _decode_whole(lines: bytes, total: int) -> Sequence[_Line] | None:
    """All lines in one call, or None where they are not one movement each.

    The decoder would also take two events on one line, or one on two: such blocks go line by line.
    """
    if not one_each(lines, total):
        return None
    try:
        events = _event.decode_lines(lines)
    except (ValueError, RecursionError):
        return None
    return events if len(events) == total else None


def one_each(lines: bytes, total: int) -> bool:
    """Whether `total` lines, joined by line ends, each begin and end as an event does.

    Then as many events as lines are one on each: inside an event `}` is not followed by `{`, and a
    text holds no bare newline.
    """
    if lines[:1] != b"{" or lines[-1:] == b"\n":
        return False
    octets = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(octets == _NEWLINE)
    before = octets[ends - 1]
    if (before == _RETURN).all():
        before = octets[ends - 2]
    begun, ended = octets[ends + 1] == _OPEN, before == _CLOSE
    return len(ends) == total - 1 and bool(begun.all() and ended.all())


def _decoded(buckets: list[Batch], refusals: list[Refusal], lines: int, others: int) -> Decoded:
    batches = [batch for batch in buckets if batch.facts]
    events = sum(len(batch.facts) for batch in batches)
    newest = max((batch.facts[-1].time for batch in batches), default=None)
    return Decoded(batches, refusals, BlockRead(lines, events, others, newest))


def judge_line(line: bytes, origin: str, position: int, wrong: Exception) -> Refusal | None:
    """Why a line is no movement; None when it is an event that another flow reads."""
    header = Header()
    try:
        header = _header.decode(line)
    except (ValueError, RecursionError):
        code, reason = no_event(line, wrong)
    else:
        if header.type in (MOVEMENT_TYPE, RESERVATION_TYPE):
            code, reason = bad_event(wrong)
        elif header.type in EVENT_STRUCTS:
            return None
        elif header.type:
            code = "unknown_type"
            reason = f"type {header.type[:64]!r} is not known here; this flow reads {MOVEMENT_TYPE}"
        else:
            code = "invalid_event"
            reason = "no `type`: every event needs specversion, id, source, type, time and data"
    return Refusal(
        origin,
        position,
        code,
        reason,
        header.source or None,
        header.id or None,
        None,
        line[:RAW_LIMIT],
    )
