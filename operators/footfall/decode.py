"""Blocks of lines and of records to facts for the shards, and to refusals for what is no event.

Every line or record ends up as a fact, as an event of another flow (of any type that is not read
here), as blank, or as a refusal that says what was wrong with it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Annotated, Literal, NamedTuple

import msgspec

from operators.footfall.facts import (
    DEFAULT_TASK,
    NO_WAIT,
    Fact,
    FootfallBatch,
    OrderFact,
    VisitFact,
)
from operators.records import Record, RecordBlock
from operators.refused import line_of, refused_line
from operators.stock.decode import EARLIEST, LATEST, RAW_LIMIT, Block, BlockRead, Sharder
from operators.stock.refusals import Refusal
from schemas.envelope import Instant
from schemas.instants import SECOND_US, midnight_of
from schemas.movement import Name
from schemas.shop_events import ORDER_TYPE, VISIT_TYPE, Seconds, Visit

_BORDERS = (b"}\n{", b"}\r\n{")
# Sums of a quarter of an hour must stay numbers that a warehouse can hold.
Amount = Annotated[int, msgspec.Meta(ge=-(10**13), le=10**13)]
Items = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class _Order(msgspec.Struct, gc=False):
    """What footfall needs of schemas.shop_events.Order: lines and members are not even read."""

    store: Name
    order: Name
    opened_at: str
    items: Items
    amount: Amount
    service_seconds: Seconds
    currency: str = "CNY"
    waited_seconds: Seconds | None = None
    employee: str | None = None
    task: str | None = None


class _VisitLine(msgspec.Struct, gc=False, tag_field="type", tag=VISIT_TYPE):
    specversion: Literal["1.0"]
    id: Name
    source: Name
    time: Instant
    data: Visit


class _OrderLine(msgspec.Struct, gc=False, tag_field="type", tag=ORDER_TYPE):
    specversion: Literal["1.0"]
    id: Name
    source: Name
    time: Instant
    data: _Order


_Line = _VisitLine | _OrderLine
_event = msgspec.json.Decoder(_Line)


class Decoded(NamedTuple):
    """What a block held; `dead` are the records that the refusals are about, in their order."""

    batches: list[FootfallBatch]
    refusals: list[Refusal]
    read: BlockRead
    dead: list[Record]


class FootfallDecoder:
    """Decodes blocks into facts by shard, in the order of the lines or records."""

    def __init__(self, sharder: Sharder) -> None:
        self._sharder = sharder
        self._known: dict[str, int] = {}

    def decode(self, block: Block) -> Decoded:
        """Facts by shard, refusals, and how many lines were what."""
        events = _decode_whole(block.lines, block.total)
        if events is not None:
            try:
                facts = _facts(events)
            except OverflowError:
                pass
            else:
                positions = range(block.first, block.first + block.total)
                read = BlockRead(block.total, block.total, 0, _newest(facts))
                return Decoded(self._sorted(block.origin, facts, positions), [], read, [])
        # Something in the block is of no concern here, or no event: line by line.
        facts, found_at, refusals = [], [], []
        others = blank = 0
        for number, line in enumerate(block.lines.split(b"\n"), block.first):
            if not line.strip():
                blank += 1
                continue
            found = _judge(line, block.origin, number)
            if found is None:
                others += 1
            elif isinstance(found, Refusal):
                refusals.append(found)
            else:
                facts.append(found)
                found_at.append(number)
        read = BlockRead(block.total - blank, len(facts), others, _newest(facts))
        return Decoded(self._sorted(block.origin, facts, found_at), refusals, read, [])

    def decode_records(self, block: RecordBlock) -> Decoded:
        """The same for records of the log, in both modes of CloudEvents."""
        facts: list[Fact] = []
        positions: list[int] = []
        refusals: list[Refusal] = []
        dead: list[Record] = []
        others = 0
        for record in block.records:
            found = _judge_record(record, block.origin)
            if found is None:
                others += 1
            elif isinstance(found, Refusal):
                refusals.append(found)
                dead.append(record)
            else:
                facts.append(found)
                positions.append(record.offset)
        read = BlockRead(len(block.records), len(facts), others, _newest(facts))
        return Decoded(self._sorted(block.origin, facts, positions), refusals, read, dead)

    def _sorted(
        self, origin: str, facts: Sequence[Fact], positions: Iterable[int]
    ) -> list[FootfallBatch]:
        batches: dict[int, FootfallBatch] = {}
        known = self._known
        for fact, position in zip(facts, positions, strict=True):
            shard = known.get(fact.store)
            if shard is None:
                shard = known[fact.store] = self._sharder.of(fact.store)
            batch = batches.get(shard)
            if batch is None:
                batch = batches[shard] = FootfallBatch(shard, origin, array("Q"), [])
            batch.facts.append(fact)
            batch.positions.append(position)
        return [batches[shard] for shard in sorted(batches)]


def _decode_whole(lines: bytes, total: int) -> Sequence[_Line] | None:
    """All lines in one call, or None where they are not one event of this flow each.

    The decoder would also take two events on one line: see operators.stock.decode.
    """
    if lines[:1] != b"{" or all(lines.count(border) != total - 1 for border in _BORDERS):
        return None
    try:
        events = _event.decode_lines(lines)
    except (ValueError, RecursionError):
        return None
    return events if len(events) == total else None


def _facts(events: Iterable[_Line]) -> list[Fact]:
    """Facts of events.

    Raises:
        OverflowError: a time is beyond what can be kept.
    """
    found: list[Fact] = []
    put = found.append
    zone: tzinfo | None = None
    day = midnight = 0
    for event in events:
        # schemas.instants.to_micros in place, from the midnight of the event before.
        instant = event.time
        if instant.tzinfo is not zone or instant.toordinal() != day:
            zone, day = instant.tzinfo, instant.toordinal()
            midnight = midnight_of(instant)
            if not EARLIEST <= midnight < LATEST:
                msg = "time: before the year 1900 or after 2999"
                raise OverflowError(msg)
        seconds = (instant.hour * 60 + instant.minute) * 60 + instant.second
        time = midnight + seconds * SECOND_US + instant.microsecond
        data = event.data
        if isinstance(data, Visit):
            put(VisitFact(time, event.source, event.id, data.store, data.door, data.in_, data.out))
            continue
        waited = data.waited_seconds
        put(
            OrderFact(
                time,
                event.source,
                event.id,
                data.store,
                data.items,
                data.amount,
                data.currency,
                round(data.service_seconds * 1000),
                NO_WAIT if waited is None else round(waited * 1000),
                data.employee or None,
                data.task or DEFAULT_TASK,
            )
        )
    return found


def _newest(facts: Sequence[Fact]) -> int | None:
    return max((fact.time for fact in facts), default=None)


def _judge(line: bytes, origin: str, position: int) -> Fact | Refusal | None:
    """The fact of a line, why it is none, or None: another flow's event."""
    try:
        return _facts([_event.decode(line)])[0]
    except (ValueError, RecursionError, OverflowError) as wrong:
        return refused_line(line, wrong, (origin, position), (VISIT_TYPE, ORDER_TYPE))


def _judge_record(record: Record, origin: str) -> Fact | Refusal | None:
    """The fact of a record, why it is none, or None: a deletion or another flow's event."""
    line = record.value
    if line is None:
        return None
    raw = line[:RAW_LIMIT]
    whole = line_of(record, line, origin)
    if isinstance(whole, Refusal):
        return whole
    found = _judge(whole, origin, record.offset)
    return found._replace(raw=raw) if isinstance(found, Refusal) else found
