"""What the ledger works on: one movement with its identity, its instant and where it stood."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from schemas.instants import format_instant
from schemas.movement import Counted, LedgerMovement


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


class Batch:
    """Facts of one shard from one block of input, in the order they arrived.

    `positions` says where in `origin` each one stood; `wheres` says it instead for facts of a
    journal, which remembers it only of those that may need it. A batch crosses to another process
    as one run of bytes: pickling struct by struct costs more than applying them.
    """

    __slots__ = ("facts", "origin", "positions", "shard", "wheres")

    def __init__(
        self,
        shard: int,
        origin: str,
        positions: array[int],
        facts: list[Fact],
        wheres: dict[int, Where] | None = None,
    ) -> None:
        self.shard = shard
        self.origin = origin
        self.positions = positions
        self.facts = facts
        self.wheres = wheres

    def __reduce__(self) -> tuple[Callable[..., Batch], tuple[int, str, array[int], bytes]]:
        return (_unpack, (self.shard, self.origin, self.positions, _encoder.encode(self.facts)))


def _unpack(shard: int, origin: str, positions: array[int], packed: bytes) -> Batch:
    return Batch(shard, origin, positions, _facts.decode(packed))


# A fact as MessagePack. The window holds millions of facts that nobody looks at again; packed they
# take a third of the memory, and a third of the time to lay down.
Record = bytes

_encoder = msgspec.msgpack.Encoder()
_fact = msgspec.msgpack.Decoder(Fact)
_facts = msgspec.msgpack.Decoder(list[Fact])
_wheres = msgspec.msgpack.Decoder(dict[int, Where])

pack_fact: Callable[[Fact], Record] = _encoder.encode
unpack_fact: Callable[[Record], Fact] = _fact.decode


def join_records(records: Sequence[Record], wheres: dict[int, Where]) -> bytes:
    """Records, and where some of them stood by index: two MessagePack values, size first."""
    array_head = b"\xdd" + len(records).to_bytes(4, "big")
    stood = _encoder.encode(wheres)
    return len(stood).to_bytes(4, "big") + stood + array_head + b"".join(records)


def split_records(joined: bytes) -> Batch:
    """A batch with the facts of `join_records`."""
    begin = 4 + int.from_bytes(joined[:4], "big")
    wheres = _wheres.decode(joined[4:begin])
    return Batch(0, "", array("Q"), _facts.decode(joined[begin:]), wheres)


# Source and id: two events of a SKU with the same two are the same event.
Identity = tuple[str, str]


def identity(fact: Fact) -> Identity:
    """The identity of an event among those of its SKU."""
    return (fact.source, fact.id)


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
