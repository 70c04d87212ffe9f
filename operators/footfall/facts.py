"""What footfall works on: one report of a door or one order of a till, with its identity."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from schemas.instants import MINUTE_US

# All windows are whole quarters of an hour of real time. Every zone of the world is a whole number
# of quarters from UTC at every moment since 1980 (a test goes through them), so these are also
# whole local quarters; where clocks change, a local quarter comes twice or not at all.
QUARTER_US = 15 * MINUTE_US
NO_WAIT = -1
DEFAULT_TASK = "till"


class VisitFact(msgspec.Struct, gc=False, array_like=True, tag="visit"):
    """One `store.visit.v1`; `time` in microseconds since 1970 UTC."""

    time: int
    source: str
    id: str
    store: str
    door: str
    entries: int
    exits: int


class OrderFact(msgspec.Struct, gc=False, array_like=True, tag="order"):
    """One `pos.order.v1`; service and wait in milliseconds, `NO_WAIT` where nobody measured."""

    time: int
    source: str
    id: str
    store: str
    items: int
    amount: int
    currency: str
    service_ms: int
    waited_ms: int
    employee: str | None
    task: str


Fact = VisitFact | OrderFact


class FootfallBatch(NamedTuple):
    """Facts of one shard from one block, in the order they arrived, and where each one stood."""

    shard: int
    origin: str
    positions: array[int]
    facts: list[Fact]


def window_of(fact: Fact) -> int:
    """The number of the window a fact belongs to: quarters of an hour since 1970.

    A door tells at `time` who came until then, so a report at 10:15 belongs to the quarter before;
    an order at 10:15 belongs to the quarter that begins.
    """
    if fact.__class__ is VisitFact:
        return (fact.time - 1) // QUARTER_US
    return fact.time // QUARTER_US


_encoder = msgspec.msgpack.Encoder()
_fact = msgspec.msgpack.Decoder(Fact)
_facts = msgspec.msgpack.Decoder(list[Fact])
pack_fact: Callable[[Fact], bytes] = _encoder.encode
unpack_fact: Callable[[bytes], Fact] = _fact.decode


def join_facts(packed: Sequence[bytes]) -> bytes:
    """Packed facts as one MessagePack array."""
    return b"\xdd" + len(packed).to_bytes(4, "big") + b"".join(packed)


def split_facts(joined: bytes) -> list[Fact]:
    """The facts of `join_facts`."""
    return _facts.decode(joined)
