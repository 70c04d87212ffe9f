"""What the transfer machine works on: positions, alerts, decisions and transfers on the road."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from schemas.alert import Alert
from schemas.position import Position
from schemas.transfer import TransferDecision


class Decided(msgspec.Struct):
    """A decision, with where it stood and its bytes for when it cannot be followed."""

    decision: TransferDecision
    time: int
    origin: str = ""
    position: int = 0
    raw: bytes = b""


class Moved(msgspec.Struct, gc=False):
    """A movement that touches a transfer; `time` in us, `quantity` signed for `adjusted`.

    `identity` is source and id in one text, and `corrects` that of the event it takes back.
    """

    identity: str
    time: int
    kind: str
    sku: str
    place: str
    to_place: str = ""
    quantity: int = 0
    transfer: str = ""
    corrects: str = ""


Fact = Position | Alert | Decided | Moved


class TransferBatch(NamedTuple):
    """Facts of one shard, in the order they arrived."""

    shard: int
    facts: list[Fact]


def sku_of(fact: Fact) -> str:
    """The SKU a fact is about."""
    return fact.decision.sku if isinstance(fact, Decided) else fact.sku


def identity(source: str, event: str) -> str:
    """Source and id of an event as one text that no other pair has."""
    return f"{len(source)}:{source}{event}"
