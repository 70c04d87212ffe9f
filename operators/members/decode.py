"""Blocks of lines and of records to facts for the shards, and to refusals for what is no event.

Every line or record ends up as facts, as an event of another flow (an order of nobody, too), as
blank, or as a refusal that says what was wrong with it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from operators.members.facts import (
    UNITED,
    Answer,
    Consent,
    Erasure,
    Fact,
    Link,
    MemberBatch,
    Purchase,
    Refund,
    Registration,
    Thresholds,
    hashed,
)
from operators.members.lines import HEARD, TYPES, Answered, Line, Order
from operators.records import Record, RecordBlock
from operators.refused import line_of, refused_line
from operators.stock.decode import EARLIEST, LATEST, RAW_LIMIT, Block, BlockRead, Sharder
from operators.stock.refusals import Refusal
from schemas import member_events as events
from schemas.instants import to_micros
from schemas.member_events import Origin

_event = msgspec.json.Decoder(Line)
# A fact, and the shards that are to know of it: those of these members, that of persons, or all.
_Routed = tuple[Fact, tuple[str, ...] | None]


class Decoded(NamedTuple):
    """What a block held; `dead` are the records that the refusals are about, in their order."""

    batches: list[MemberBatch]
    refusals: list[Refusal]
    read: BlockRead
    dead: list[Record]


class MemberDecoder:
    """Decodes blocks into facts by shard, in the order of the lines or records.

    Every shard is told of every block, for time passes in all of them; `latest` is the instant up
    to which a clock is believed.
    """

    def __init__(self, sharder: Sharder) -> None:
        self._sharder = sharder
        self._known: dict[str, int] = {}

    def decode(self, block: Block, latest: int) -> Decoded:
        """Facts by shard, refusals, and how many lines were what."""
        numbered = enumerate(block.lines.split(b"\n"), block.first)
        judged = ((number, _judge(line, block.origin, number)) for number, line in numbered)
        sorting = _Sorting(self._shard, block.origin)
        for number, found in judged:
            sorting.put(number, found)
        return sorting.ended(block.total, latest, self._sharder.shards, block.first)

    def decode_records(self, block: RecordBlock, latest: int) -> Decoded:
        """The same for records of the log, in both modes of CloudEvents."""
        sorting = _Sorting(self._shard, block.origin)
        for record in block.records:
            found = _judge_record(record, block.origin)
            if isinstance(found, Refusal):
                sorting.dead.append(record)
            sorting.put(record.offset, found)
        first = block.records[0].offset if block.records else 0
        return sorting.ended(len(block.records), latest, self._sharder.shards, first)

    def _shard(self, member: str) -> int:
        shard = self._known.get(member)
        if shard is None:
            if len(self._known) > 2_000_000:
                self._known.clear()
            shard = self._known[member] = self._sharder.of(member)
        return shard


class _Sorting:
    """Facts of one block on their way into batches."""

    def __init__(self, shard_of: object, origin: str) -> None:
        assert callable(shard_of)
        self._shard_of = shard_of
        self._origin = origin
        self._batches: dict[int, tuple[array[int], list[Fact]]] = {}
        self._everywhere: list[tuple[int, Fact]] = []
        self._times: list[tuple[int, Origin]] = []
        self.dead: list[Record] = []
        self._refusals: list[Refusal] = []
        self._events = self._others = self._blank = 0

    def put(self, position: int, found: list[_Routed] | Refusal | bool) -> None:
        """Take what a line was: its facts, why it is none, another flow's (True), blank (False)."""
        if isinstance(found, Refusal):
            self._refusals.append(found)
        elif found is True:
            self._others += 1
        elif found is False:
            self._blank += 1
        else:
            self._events += 1
            self._times.append((found[0][0].time, found[0][0].origin))
            for fact, members in found:
                self._route(position, fact, members)

    def _route(self, position: int, fact: Fact, members: tuple[str, ...] | None) -> None:
        if members is None:
            self._everywhere.append((position, fact))
            return
        shards = [self._shard_of(name) for name in members] or [UNITED]
        for shard in shards:
            positions, facts = self._batches.setdefault(shard, (array("Q"), []))
            positions.append(position)
            facts.append(fact)

    def ended(self, total: int, latest: int, shards: int, first: int) -> Decoded:
        """The batches, one for every shard while there is anything."""
        newest, origin = max((one for one in self._times if one[0] <= latest), default=(0, "live"))
        batches = []
        if self._times:
            for shard in (*range(shards), UNITED):
                positions, facts = self._batches.get(shard, (array("Q"), []))
                if self._everywhere:
                    positions, facts = _with(positions, facts, self._everywhere)
                batch = MemberBatch(shard, self._origin, positions, facts, newest, origin)
                batches.append(batch._replace(block=f"{self._origin}:{first}"))
        read = BlockRead(total - self._blank, self._events, self._others, newest or None)
        return Decoded(batches, self._refusals, read, self.dead)


def _with(
    positions: array[int], facts: list[Fact], more: Iterable[tuple[int, Fact]]
) -> tuple[array[int], list[Fact]]:
    """The facts with those that all shards are told, each where it stood."""
    every = sorted([*zip(positions, facts, strict=True), *more], key=lambda one: one[0])
    return array("Q", (at for at, _ in every)), [fact for _, fact in every]


def _facts(line: Line) -> Iterator[_Routed]:
    """The facts of an event, none for what does not concern members.

    Raises:
        OverflowError: a time is beyond what can be kept.
    """
    time = to_micros(line.time)
    if not EARLIEST <= time < LATEST:
        msg = "time: before the year 1900 or after 2999"
        raise OverflowError(msg)
    data = line.data
    head = (time, line.source, line.id, line.origin)
    if isinstance(data, Order):
        if data.member:
            receipt = hashed(data.store, data.order)
            yield Purchase(*head, data.member, receipt, data.amount, data.currency), (data.member,)
    elif isinstance(data, events.Refund):
        receipt = hashed(data.order_store or data.store, data.order)
        number = hashed(data.store, data.refund)
        money = (data.amount, data.currency)
        yield Refund(*head, data.member, receipt, *money, number), (data.member,)
    elif isinstance(data, events.Registered):
        fact = Registration(*head, data.member, data.home_store, data.timezone)
        yield fact, (data.member,)
    elif isinstance(data, events.Merged | events.Unmerged):
        merged = isinstance(data, events.Merged)
        if data.member != data.survivor:
            for name in (data.member, data.survivor):
                yield Link(*head, name, merged), (name,)
        yield Link(*head, data.member, merged, data.survivor), ()
    elif isinstance(data, events.Erased):
        for name in dict.fromkeys(data.members):
            yield Erasure(*head, name), (name,)
    elif isinstance(data, events.ConsentChanged):
        proof = (data.text_version, data.evidence)
        said = Consent(*head, data.member, data.purpose, data.channel, data.status, *proof)
        yield said, (data.member,)
    elif isinstance(line, Answered):
        answer = (HEARD[type(line)], line.data.message, line.data.channel, line.data.reason)
        heard = Answer(*head, line.data.member, *answer)
        # Its own shard, and that of persons where it was merged: only they know of which it is.
        yield heard, (heard.member,)
        yield heard, ()
    elif isinstance(data, events.ThresholdsPublished):
        figures = (data.version, data.recency_days, data.frequency, data.monetary)
        yield Thresholds(*head, "", *figures), None


def _judge(line: bytes, origin: str, position: int) -> list[_Routed] | Refusal | bool:
    """The facts of a line, why there are none, or whether it is another flow's or blank."""
    if not line.strip():
        return False
    try:
        return list(_facts(_event.decode(line))) or True
    except (ValueError, RecursionError, OverflowError) as wrong:
        return refused_line(line, wrong, (origin, position), TYPES) or True


def _judge_record(record: Record, origin: str) -> list[_Routed] | Refusal | bool:
    """The same of a record; a deletion is another flow's."""
    line = record.value
    if line is None:
        return True
    raw = line[:RAW_LIMIT]
    whole = line_of(record, line, origin)
    if isinstance(whole, Refusal):
        return whole
    found = _judge(whole, origin, record.offset)
    if found is False:
        return Refusal(origin, record.offset, "not_json", "empty", None, None, None, raw)
    return found._replace(raw=raw) if isinstance(found, Refusal) else found
