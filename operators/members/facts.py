"""What members work on: one fact an event, with its identity; times in microseconds since 1970."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from schemas.journeys import Heard
from schemas.member_events import Cause, Channel, ConsentStatus, Origin, Purpose

# The part of the engine's keys that is no shard of members: persons of several ids.
UNITED = -1


class _Fact(msgspec.Struct, array_like=True, gc=False):
    time: int
    source: str
    id: str
    origin: Origin
    member: str


class Purchase(_Fact, array_like=True, tag="p", gc=False):
    """One `pos.order.v1` of a member; `receipt` is the same for the same order of a store."""

    receipt: int
    amount: int
    currency: str


class Refund(_Fact, array_like=True, tag="r", gc=False):
    """One `pos.refund.v1`: `receipt` as that of the purchase, `number` its own."""

    receipt: int
    amount: int
    currency: str
    number: int


class Registration(_Fact, array_like=True, tag="m", gc=False):
    """One `member.registered.v1`."""

    store: str | None
    zone: str | None


class Consent(_Fact, array_like=True, tag="c", gc=False):
    """One `member.consent.v1`."""

    purpose: Purpose
    channel: Channel
    status: ConsentStatus
    text: str | None
    evidence: str | None


class Link(_Fact, array_like=True, tag="l", gc=False):
    """`member` counts for `survivor` from now on, or does so no more.

    Besides, the shards of both are told that `member` is one of several (`survivor` is empty).
    """

    merged: bool
    survivor: str = ""


class Erasure(_Fact, array_like=True, tag="e", gc=False):
    """A member is to be forgotten."""


class Answer(_Fact, array_like=True, tag="a", gc=False):
    """What became of a message in a channel, or that the member opened it."""

    kind: Heard
    message: str
    channel: str = ""
    reason: str = ""


class Thresholds(_Fact, array_like=True, tag="t", gc=False):
    """From when on figures are high; `member` is empty."""

    version: int
    recency_days: float
    frequency: int
    monetary: int


class Part(_Fact, array_like=True, tag="x", gc=False):
    """All that one id of a person adds: from its shard to the one of persons.

    `source`, `id` and `cause` are of what has changed it; without content it was erased.
    `journeys`: what journeys remember of it, once, when it first becomes one of several ids.
    """

    cause: Cause
    packed: bytes
    journeys: bytes = b""


Fact = Purchase | Refund | Registration | Consent | Link | Erasure | Answer | Thresholds | Part


class MemberBatch(NamedTuple):
    """Facts of one shard from one block, in the order they arrived, and where each one stood.

    `newest`: the newest event of the block, whatever shard it belongs to, and its origin.
    `read_up`: instead of facts, what has read all that was there when the run began, and told it.
    `journeys`: instead of facts, the programs of all journeys that are in force from now on.
    `block`: the block that it is of, by which persons know what belongs together.
    """

    shard: int
    origin: str
    positions: array[int]
    facts: list[Fact]
    newest: int
    newest_origin: Origin
    read_up: str = ""
    journeys: tuple[Any, ...] | None = None
    block: str = ""


def read_up(shard: int, who: str) -> MemberBatch:
    """Tells a shard that a part of the source, or another shard, has read up."""
    return MemberBatch(shard, "", array("Q"), [], 0, "live", who)


def hashed(first: str, second: str) -> int:
    """A pair of texts as a whole number of 64 bits with a sign."""
    text = f"{len(first)}:{first}{second}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little", signed=True)


def new_journeys(shard: int, programs: tuple[Any, ...]) -> MemberBatch:
    """Tells a shard which journeys are in force from now on."""
    return read_up(shard, "")._replace(journeys=programs)


Told = tuple[int, Origin, list[Fact]]
_encoder = msgspec.msgpack.Encoder()
_told = msgspec.msgpack.Decoder(list[Told])
pack_told: Callable[[list[Told]], bytes] = _encoder.encode
unpack_told: Callable[[bytes], list[Told]] = _told.decode
