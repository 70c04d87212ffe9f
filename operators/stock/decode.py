"""Blocks of input to facts for the shards, and to refusals for what is no event.

A block is a run of whole lines (or records) as they came. Every line ends up as a fact, as an
event of another flow, as blank, or as a refusal that says what was wrong with it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from operators.judging import bad_event, no_event
from operators.stock.facts import Batch, Fact, TextLine, read_line
from operators.stock.holds import confirmed_hold, reservation_row
from operators.stock.instants import Integers, read_instants
from operators.stock.lines import Lines, sort_lines
from operators.stock.numbering import SHARD_BITS, Numbers, SkuNumbers
from operators.stock.refusals import Refusal
from schemas.envelope import EVENT_STRUCTS, Header, ReservationEvent
from schemas.instants import midnight_of, to_micros
from schemas.movement import MOVEMENT_TYPE
from schemas.reservation import RESERVATION_TYPE

# A dead letter keeps the bytes as they came, up to here.
RAW_LIMIT = 64 * 1024
# Names of SKUs repeat for ever; past this many the memory of their shards is started afresh.
KNOWN_SKUS = 2_000_000
# Fewer lines are decoded one by one.
FEWEST_AT_ONCE = 64
# Fewer lines, of all blocks together, cost less as facts than sorted.
FEWEST_SORTED = 1024
# Sorted lines are kept for the horizon as they came; longer ones (mean, bytes) are packed instead.
LONGEST_KEPT = 1024


# Times are read as texts (operators.stock.instants).
_texts = msgspec.json.Decoder(TextLine)
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
    """What a block held: facts by shard, refusals, how many lines were what, rows of holds."""

    batches: list[Batch]
    refusals: list[Refusal]
    read: BlockRead
    reservations: Sequence[tuple[Any, ...]] = ()


class Sharder:
    """Which shard a SKU belongs to: a fixed number of shards, part of the stored state."""

    def __init__(self, shards: int) -> None:
        self.shards = shards
        self._skus = SkuNumbers(shards)
        self._places = Numbers()

    def of(self, sku: str) -> int:
        """The shard of a SKU; the same on every machine."""
        self._forget()
        return self._skus[sku] >> SHARD_BITS

    def _forget(self) -> None:
        for known in (self._skus, self._places):
            if len(known) >= KNOWN_SKUS:
                known.forget()

    def decode(self, *blocks: Block) -> Decoded:
        """Decode the lines of blocks into facts by shard, in their order.

        More lines at once are more of each place, which the ledger takes together.
        """
        self._forget()
        found = _Found()
        lines = Lines("", 0)
        for block in blocks:
            if (block.origin, block.first) != (lines.origin, lines.first + len(lines)):
                found.batches += self._batches(lines)
                lines = Lines(block.origin, block.first)
            movements = None
            if block.total >= FEWEST_AT_ONCE and len(block.lines) <= block.total * LONGEST_KEPT:
                movements = _decode_whole(block.lines, block.total)
            if movements is not None:
                events, times, ends = movements
                lines.add(block.lines, ends, events, times, self._skus, self._places)
                found.note(int(times[-1]))
            else:
                found.batches += self._batches(lines)
                lines = Lines(block.origin, block.first + block.total)
                self._decode_each(block, block.lines.split(b"\n"), found)
        found.batches += self._batches(lines)
        total = sum(block.total for block in blocks) - found.blank
        read = BlockRead(total, sum(map(len, found.batches)), found.others, found.newest)
        return Decoded(found.batches, found.refusals, read, found.reservations)

    def _batches(self, lines: Lines) -> Sequence[Batch]:
        if len(lines) < FEWEST_SORTED:
            return lines.unsorted(self._skus)
        return sort_lines(lines, self._skus, self._places)

    def _decode_each(self, block: Block, records: Sequence[bytes], found: _Found) -> None:
        """Line by line, so that what is no movement gets its own reason each."""
        facts: dict[int, list[Fact]] = {}
        stood: dict[int, array[int]] = {}
        for number, line in enumerate(records, block.first):
            try:
                fact = _read(line, found.reservations)
            except (ValueError, RecursionError, OverflowError) as wrong:
                if not line.strip():
                    found.blank += 1
                    continue
                refusal = judge_line(line, block.origin, number, wrong)
                if refusal is None:
                    found.others += 1
                else:
                    found.refusals.append(refusal)
                continue
            if fact is None:
                found.others += 1
                continue
            shard = self.of(fact.movement.sku)
            facts.setdefault(shard, []).append(fact)
            stood.setdefault(shard, array("Q")).append(number)
            last = fact.time
        for shard, some in sorted(facts.items()):
            found.batches.append(Batch(shard, block.origin, stood[shard], some))
            found.note(last)


class _Found:
    """What was found in a block so far."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.refusals: list[Refusal] = []
        self.reservations: list[tuple[Any, ...]] = []
        self.blank = 0
        self.others = 0
        self.newest: int | None = None

    def note(self, time: int) -> None:
        """Note the time of the last event of some lines."""
        self.newest = time if self.newest is None else max(self.newest, time)


def _read(line: bytes, reservations: list[tuple[Any, ...]]) -> Fact | None:
    """The fact of a line; None for what the hold gate says and is no concern of the ledger.

    What the gate says is a row in `reservations`, whatever it is.

    Raises:
        ValueError: it is no event of this flow.
        OverflowError: a time is beyond what can be kept.
    """
    try:
        event = read_line(line)
    except ValueError:
        if RESERVATION_TYPE.encode() not in line or _header.decode(line).type != RESERVATION_TYPE:
            raise
    else:
        if event.recordedtime is not None:
            _kept(to_micros(event.recordedtime))
        return event.fact(_kept_instant(event.time))
    hold = _reservation.decode(line)
    time = _kept_instant(hold.time)
    reservations.append(reservation_row(hold.id, time, hold.data))
    confirmed = confirmed_hold(hold.data)
    return None if confirmed is None else Fact(time, hold.source, hold.id, confirmed, 0)


def _kept_instant(instant: datetime) -> int:
    """Microseconds of an instant, of the day of which the beginning has to be one that is kept."""
    _kept(midnight_of(instant))
    return to_micros(instant)


def _kept(micros: int) -> int:
    if EARLIEST <= micros < LATEST:
        return micros
    msg = "time: before the year 1900 or after 2999"
    raise OverflowError(msg)


def _decode_whole(
    lines: bytes, total: int
) -> tuple[list[TextLine], Integers, npt.NDArray[np.intp]] | None:
    """All lines in one call, their instants and where they end; None where one needs a closer look.

    The decoder would also take two events on one line, or one on two: such blocks go line by line.
    """
    ends = one_each(lines, total)
    if ends is None:
        return None
    try:
        events = _texts.decode_lines(lines)
    except (ValueError, RecursionError):
        return None
    if len(events) != total or any(
        _is_beyond(event.recordedtime) for event in events if event.recordedtime is not None
    ):
        return None
    times = read_instants([event.time for event in events])
    if times is None:
        return None
    instants, midnights = times
    if midnights.min() < EARLIEST or midnights.max() >= LATEST:
        return None
    return events, instants, ends


def _is_beyond(instant: datetime) -> bool:
    return not EARLIEST <= to_micros(instant) < LATEST


def one_each(lines: bytes, total: int) -> npt.NDArray[np.intp] | None:
    """Where `total` joined lines end; None unless each begins and ends as an event does.

    Then as many events as lines are one on each: inside an event `}` is not followed by `{`, and a
    text holds no bare newline.
    """
    if lines[:1] != b"{" or lines[-1:] == b"\n":
        return None
    octets = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(octets == _NEWLINE)
    before = octets[ends - 1]
    if (before == _RETURN).all():
        before = octets[ends - 2]
    begun, ended = octets[ends + 1] == _OPEN, before == _CLOSE
    return ends if len(ends) == total - 1 and begun.all() and ended.all() else None


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
