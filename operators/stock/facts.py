"""What the ledger works on: one movement with its identity, its instant and where it stood."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from schemas.envelope import Instant
from schemas.instants import format_instant, to_micros
from schemas.movement import Counted, LedgerMovement, Movement, Name


class Fact(msgspec.Struct, gc=False, array_like=True):
    """One `stock.movement.v1`, or one confirmed hold, as the ledger works on it.

    `time` and `recorded` are microseconds since 1970 UTC (`recorded` is 0 where it was not given).
    """

    time: int
    source: str
    id: str
    movement: LedgerMovement
    recorded: int


class Where(NamedTuple):
    """Where an event stood: file and line, topic partition and offset."""

    origin: str
    position: int


class Line(msgspec.Struct, gc=False, kw_only=True):
    """What the ledger needs of schemas.envelope.MovementEvent, save for its time.

    The rest is not even read.
    """

    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: Literal["stock.movement.v1"]
    data: Movement
    recordedtime: Instant | None = None

    def fact(self, time: int) -> Fact:
        """The fact that the line tells, with its instant in microseconds since 1970."""
        recorded = 0 if self.recordedtime is None else to_micros(self.recordedtime)
        return Fact(time, self.source, self.id, self.data, recorded)


class TimedLine(Line, gc=False, kw_only=True):
    """A line with its time."""

    time: Instant


class TextLine(Line, gc=False, kw_only=True):
    """A line with its time as it was written."""

    time: str


# A fact as the window and the journal keep it: its line as it came, or MessagePack where it did not
# come as a line. The window holds millions of facts that nobody looks at again: keeping a struct
# would take twice the memory, and packing every one more time than applying it.
Record = bytes

_encoder = msgspec.msgpack.Encoder()
_fact = msgspec.msgpack.Decoder(Fact)
_facts = msgspec.msgpack.Decoder(list[Fact])
_records = msgspec.msgpack.Decoder(list[Record])
_wheres = msgspec.msgpack.Decoder(dict[int, Where])
_line = msgspec.json.Decoder(TimedLine)
_text_line = msgspec.json.Decoder(TextLine)
# What a line begins with, and MessagePack of a fact never does.
_OPEN = ord("{")

pack_fact: Callable[[Fact], Record] = _encoder.encode


def read_line(line: bytes) -> TimedLine:
    """The event of a line.

    Of what it says twice the last counts, also where the first `time` is none: among many lines
    times are read as texts (operators.stock.decode), and what was taken has to be read again.

    Raises:
        ValueError: it is no movement.
    """
    try:
        return _line.decode(line)
    except msgspec.ValidationError as wrong:
        try:
            text = _text_line.decode(line)
            time = msgspec.convert(text.time, Instant)
        except (ValueError, RecursionError):
            raise wrong from None
        return TimedLine(
            specversion=text.specversion,
            id=text.id,
            source=text.source,
            type=text.type,
            data=text.data,
            recordedtime=text.recordedtime,
            time=time,
        )


def unpack_fact(record: Record) -> Fact:
    """The fact of a record."""
    if record[0] == _OPEN:
        line = read_line(record)
        return line.fact(to_micros(line.time))
    return _fact.decode(record)


class Batch:
    """Facts of one shard from one block of input, in the order they arrived.

    `positions` says where in `origin` each one stood; `wheres` says it instead for facts of a
    journal, which remembers it only of those that may need it. `records` are the facts as they are
    kept, where they are there already. A batch crosses to another process as one run of bytes:
    pickling struct by struct costs more than applying them.
    """

    __slots__ = ("_facts", "_positions", "_records", "origin", "shard", "wheres")

    def __init__(
        self,
        shard: int,
        origin: str,
        positions: array[int],
        facts: list[Fact],
        wheres: dict[int, Where] | None = None,
        records: Sequence[Record] | None = None,
    ) -> None:
        self.shard = shard
        self.origin = origin
        self._positions = positions
        self._facts = facts
        self.wheres = wheres
        self._records = records

    def __len__(self) -> int:
        return len(self._facts)

    def __reduce__(self) -> tuple[Callable[..., Batch], tuple[int, str, array[int], bytes]]:
        return (_unpack, (self.shard, self.origin, self.positions, _encoder.encode(self.facts)))

    @property
    def facts(self) -> list[Fact]:
        """The facts."""
        return self._facts

    @property
    def positions(self) -> array[int]:
        """Where in `origin` they stood."""
        return self._positions

    def sku_names(self) -> set[str]:
        """The SKUs that the facts are of."""
        return {fact.movement.sku for fact in self._facts}

    def rows(self) -> Iterable[int]:
        """What `fact`, `record` and `where` count in, in the order the facts arrived."""
        return range(len(self._facts))

    def fact(self, row: int) -> Fact:
        """One fact."""
        return self._facts[row]

    def record(self, row: int) -> Record:
        """One fact as it is kept."""
        return pack_fact(self._facts[row]) if self._records is None else self._records[row]

    def where(self, row: int) -> Where:
        """Where a fact stood."""
        if self.wheres is not None:
            return self.wheres[row]
        return Where(self.origin, self._positions[row])


def _unpack(shard: int, origin: str, positions: array[int], packed: bytes) -> Batch:
    return Batch(shard, origin, positions, _facts.decode(packed))


def join_records(records: Sequence[Record], wheres: dict[int, Where]) -> bytes:
    """Records, and where some of them stood by index: two MessagePack values, size first."""
    stood = _encoder.encode(wheres)
    return len(stood).to_bytes(4, "big") + stood + _encoder.encode(records)


def split_records(joined: bytes) -> Batch:
    """A batch with the facts of `join_records`."""
    begin = 4 + int.from_bytes(joined[:4], "big")
    wheres = _wheres.decode(joined[4:begin])
    records = _records.decode(joined[begin:])
    return Batch(0, "", array("Q"), list(map(unpack_fact, records)), wheres, records)


# Source and id: two events of a SKU with the same two are the same event.
Identity = tuple[str, str]


def identity_key(source: str, event_id: str) -> int:
    """A hash of an identity, of this process: what many of one source share is hashed once."""
    return hash(event_id) ^ source_key(source)


def source_key(source: str) -> int:
    """The source's part of identity_key; another one than an id of the same letters would have."""
    return hash((source,))


def identity(fact: Fact) -> Identity:
    """The identity of an event among those of its SKU."""
    return (fact.source, fact.id)


# Identity and instant: an id that is used again once its event is forgotten names another one.
Occurrence = tuple[str, str, int]


def occurrence(fact: Fact) -> Occurrence:
    """One event among all of its SKU that were ever accepted."""
    return (fact.source, fact.id, fact.time)


def same_content(one: Fact, other: Fact) -> bool:
    """Whether two events of one identity say the same: when it happened and what happened."""
    return one.time == other.time and one.movement == other.movement


def order_key(fact: Fact) -> tuple[int, bool, int, str, str]:
    """The order in which facts of one place count.

    By time; at one instant a count comes last, for what happened at or before it is inside it;
    of two counts at one instant the one recorded last wins. Source and id only make the order the
    same everywhere.
    """
    if fact.movement.__class__ is Counted:
        return (fact.time, True, fact.recorded or fact.time, fact.source, fact.id)
    return (fact.time, False, 0, fact.source, fact.id)


CLOCK_SOURCE = "tillflow/clock"


def clock_fact(time: int, sku: str, place: str) -> Fact:
    """What stands for the passing of live time where an alert needs a cause."""
    nothing = Counted(sku=sku, place=place, quantity=0)
    return Fact(time, CLOCK_SOURCE, format_instant(time), nothing, 0)


def describe(fact: Fact) -> dict[str, Any]:
    """A fact as evidence for a person: what, how many, when, and which event said so."""
    if fact.source == CLOCK_SOURCE:
        return {"kind": "business_day_closed", "time": format_instant(fact.time)}
    movement = fact.movement
    found: dict[str, Any] = {
        "kind": movement.kind,
        "quantity": movement.quantity,
        "time": format_instant(fact.time),
        "source": fact.source,
        "id": fact.id,
    }
    if movement.order is not None:
        found["order"] = movement.order
    return found
