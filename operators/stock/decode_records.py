"""Records of the log to facts for the shards, and to refusals for what is no event.

Events come in the two modes of CloudEvents on Kafka: binary (attributes as `ce_` headers, the value
is the data) and structured (the value is the whole event). Every record ends up as a fact, as one
of the others (other flows' events, deletions), or as a refusal that says what was wrong with it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Literal, NamedTuple

import msgspec

from operators.records import Headers, Record, RecordBlock
from operators.stock.decode import (
    EARLIEST,
    KNOWN_SKUS,
    LATEST,
    RAW_LIMIT,
    Block,
    BlockRead,
    Sharder,
    judge_line,
    one_each,
)
from operators.stock.facts import Batch, Fact, read_line
from operators.stock.holds import confirmed_hold, reservation_row
from operators.stock.refusals import Refusal
from schemas.envelope import Instant
from schemas.instants import SECOND_US, midnight_of, to_micros
from schemas.movement import MOVEMENT_TYPE, Movement, Name
from schemas.reservation import RESERVATION_TYPE, Reservation

ATTRIBUTE = "ce_"
# As schemas.movement.Name has it.
LONGEST_NAME = 200
_MOVEMENT = MOVEMENT_TYPE.encode()
_TIME_BYTES = b"0123456789-+:.TtZz"


class _Reservation(msgspec.Struct, gc=False):
    """One event of the hold gate."""

    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: Literal["stock.reservation.v1"]
    time: Instant
    data: Reservation


class _Type(msgspec.Struct, gc=False):
    type: str = ""


_reservation = msgspec.json.Decoder(_Reservation)
_type = msgspec.json.Decoder(_Type)
_data = msgspec.json.Decoder(Movement)
_instants = msgspec.json.Decoder(Instant)


class DecodedRecords(NamedTuple):
    """What a block held; `dead` are the records that the refusals are about, in their order."""

    batches: list[Batch]
    refusals: list[Refusal]
    dead: list[Record]
    read: BlockRead
    reservations: Sequence[tuple[Any, ...]] = ()


class RecordDecoder:
    """Decodes blocks of records into facts by shard, in the order of the records."""

    def __init__(self, sharder: Sharder) -> None:
        self._sharder = sharder
        self._known: dict[str, int] = {}

    def decode(self, block: RecordBlock) -> DecodedRecords:
        """Facts by shard, refusals, and how many records were what."""
        records = block.records
        if not records:
            return DecodedRecords([], [], [], BlockRead(0, 0, 0, None))
        facts = _binary_movements(records)
        if facts is not None:
            positions = [record.offset for record in records]
            return self._sorted(block.origin, facts, positions, len(records))
        lines = _structured_lines(records)
        if lines is not None:
            whole = Block(block.origin, records[0].offset, len(records), lines)
            decoded = self._sharder.decode(whole)
            if not decoded.refusals and not decoded.read.others:
                return DecodedRecords(decoded.batches, [], [], *decoded[2:])
        return self._one_by_one(block)

    def _one_by_one(self, block: RecordBlock) -> DecodedRecords:
        """Something in the block is no movement: each record for itself gets its own reason."""
        facts: list[Fact] = []
        positions: list[int] = []
        refusals: list[Refusal] = []
        dead: list[Record] = []
        reservations: list[tuple[Any, ...]] = []
        for record in block.records:
            found = _judge(record, block.origin, reservations)
            if isinstance(found, Refusal):
                refusals.append(found)
                dead.append(record)
                continue
            facts += found
            positions += [record.offset] * len(found)
        decoded = self._sorted(block.origin, facts, positions, len(block.records))
        others = len(block.records) - len(set(positions)) - len(refusals)
        read = decoded.read._replace(others=others)
        return DecodedRecords(decoded.batches, refusals, dead, read, reservations)

    def _sorted(
        self, origin: str, facts: Sequence[Fact], positions: Sequence[int], total: int
    ) -> DecodedRecords:
        buckets = [Batch(shard, origin, array("Q"), []) for shard in range(self._sharder.shards)]
        put = [bucket.facts.append for bucket in buckets]
        put_position = [bucket.positions.append for bucket in buckets]
        known = self._known
        if len(known) >= KNOWN_SKUS:
            known.clear()
        for fact, position in zip(facts, positions, strict=True):
            sku = fact.movement.sku
            shard = known.get(sku)
            if shard is None:
                shard = known[sku] = self._sharder.of(sku)
            put[shard](fact)
            put_position[shard](position)
        batches = [batch for batch in buckets if batch.facts]
        newest = max((batch.facts[-1].time for batch in batches), default=None)
        return DecodedRecords(batches, [], [], BlockRead(total, len(facts), 0, newest))


def _binary_movements(records: Sequence[Record]) -> list[Fact] | None:
    """All records at once, or None where they are not one movement each in binary mode."""
    attributes = [dict(record.headers) for record in records]
    try:
        for each in attributes:
            if each["ce_type"] != _MOVEMENT or each["ce_specversion"] != b"1.0":
                return None
        values = b"\n".join([record.value for record in records])  # type: ignore[misc]
        times = b"\n".join([each["ce_time"] for each in attributes])  # type: ignore[misc]
        names = [(each["ce_source"].decode(), each["ce_id"].decode()) for each in attributes]  # type: ignore[union-attr]
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError):
        return None
    if one_each(values, len(records)) is None:
        return None
    # Nothing but what a time is made of may stand between the quotes that are put around it.
    if times.translate(None, _TIME_BYTES) != b"\n" * (len(records) - 1):
        return None
    try:
        movements = _data.decode_lines(values)
        instants = _instants.decode_lines(b'"' + times.replace(b"\n", b'"\n"') + b'"')
    except (ValueError, RecursionError):
        return None
    if not len(movements) == len(instants) == len(records):
        return None
    if any("ce_recordedtime" in each for each in attributes):
        return None
    facts = []
    for (source, id), time, movement in zip(names, _micros(instants), movements, strict=True):
        well_named = 0 < len(source) <= LONGEST_NAME and 0 < len(id) <= LONGEST_NAME
        if not well_named or not EARLIEST <= time < LATEST:
            return None
        facts.append(Fact(time, source, id, movement, 0))
    return facts


def _micros(instants: Sequence[datetime]) -> list[int]:
    """Microseconds since 1970, each from the midnight of the one before: a quarter of the time."""
    zone: tzinfo | None = None
    day = midnight = 0
    found = []
    for instant in instants:
        if instant.tzinfo is not zone or instant.toordinal() != day:
            zone, day = instant.tzinfo, instant.toordinal()
            midnight = midnight_of(instant)
        seconds = (instant.hour * 60 + instant.minute) * 60 + instant.second
        found.append(midnight + (seconds * SECOND_US + instant.microsecond))
    return found


def _structured_lines(records: Sequence[Record]) -> bytes | None:
    """The values of all records as lines, or None where they are not one event each."""
    if records[-1].offset - records[0].offset != len(records) - 1:
        return None
    if any(is_binary(record.headers) for record in records):
        return None
    try:
        lines = b"\n".join([record.value for record in records])  # type: ignore[misc]
    except TypeError:
        return None
    return None if one_each(lines, len(records)) is None else lines


def is_binary(headers: Headers) -> bool:
    """Whether the attributes of an event stand in the headers."""
    structured = any(
        name.lower() == "content-type" and (value or b"").startswith(b"application/cloudevents")
        for name, value in headers
    )
    return not structured and any(name.startswith(ATTRIBUTE) for name, _ in headers)


def _judge(
    record: Record, origin: str, reservations: list[tuple[Any, ...]]
) -> list[Fact] | Refusal:
    """The facts of a record (none: no concern of the ledger), or why it is no event.

    What the hold gate says is a row in `reservations`, whatever it is.
    """
    value = record.value
    if value is None:
        return []
    line = value
    if is_binary(record.headers):
        try:
            line = structured_line(record.headers, value)
        except BadHeaderError as wrong:
            return _refusal(origin, record, str(wrong))
    if _type_of(line) == RESERVATION_TYPE:
        try:
            event = _reservation.decode(line)
            time = _kept(to_micros(event.time))
            reservations.append(reservation_row(event.id, time, event.data))
        except (ValueError, OverflowError) as wrong:
            return _refusal(origin, record, f"{RESERVATION_TYPE}: {wrong}")
        confirmed = confirmed_hold(event.data)
        return [] if confirmed is None else [Fact(time, event.source, event.id, confirmed, 0)]
    try:
        movement = read_line(line)
        time = _kept(to_micros(movement.time))
        recorded = movement.recordedtime
        recorded_at = 0 if recorded is None else _kept(to_micros(recorded))
    except (ValueError, RecursionError, OverflowError) as wrong:
        refusal = judge_line(line, origin, record.offset, wrong)
        return [] if refusal is None else refusal._replace(raw=value[:RAW_LIMIT])
    return [Fact(time, movement.source, movement.id, movement.data, recorded_at)]


def _kept(micros: int) -> int:
    if EARLIEST <= micros < LATEST:
        return micros
    msg = "time: before the year 1900 or after 2999"
    raise OverflowError(msg)


def _type_of(line: bytes) -> str:
    try:
        return _type.decode(line).type
    except (ValueError, RecursionError):
        return ""


class BadHeaderError(Exception):
    """An attribute that is no text."""


def structured_line(headers: Headers, value: bytes) -> bytes:
    """An event of binary mode as one line of structured mode; a value that is no JSON as it is."""
    event: dict[str, Any] = {}
    for name, content in headers:
        if name.startswith(ATTRIBUTE) and content is not None:
            try:
                event[name.removeprefix(ATTRIBUTE)] = content.decode()
            except UnicodeDecodeError:
                msg = f"header {name} is not readable as UTF-8 text"
                raise BadHeaderError(msg) from None
    try:
        # Whole by itself: a value must not reach over into the attributes.
        msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return value
    event["data"] = msgspec.Raw(value)
    return msgspec.json.encode(event)


def _refusal(origin: str, record: Record, reason: str) -> Refusal:
    raw = (record.value or b"")[:RAW_LIMIT]
    return Refusal(origin, record.offset, "invalid_event", reason, None, None, None, raw)
