"""States of members to bytes and back: plain arrays, so that no class is part of what is stored."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import msgspec

from operators.members.facts import Thresholds
from operators.members.member import ConsentKey, Member, Profile, Statement


class Content(msgspec.Struct, array_like=True, gc=False):
    """What one id adds to a person."""

    bought: bytes
    back: bytes
    past: tuple[int, int, int] | None
    consents: list[tuple[ConsentKey, Statement]]
    profile: Profile | None
    registered: int | None
    newest: int | None
    opened: bytes = b""


class PackedMember(msgspec.Struct, array_like=True, gc=False):
    """One id with what was told of it."""

    name: str
    content: Content
    linked: bool
    here: bool
    segment: int
    since: int
    number: int
    queued: int


class PackedPart(msgspec.Struct, array_like=True, gc=False):
    """One id on its way to the shard of persons."""

    content: Content
    segment: int
    since: int
    number: int


# By its loser and its survivor: time, tie, whether they are merged.
Statements = dict[str, dict[str, tuple[int, int, bool]]]


class PackedShard(msgspec.Struct, array_like=True):
    """The state of one shard."""

    clock: int
    fingerprint: int
    thresholds: Thresholds
    erased: dict[str, bool]
    dirty: list[str]
    members: list[PackedMember]
    links: Statements


_encoder = msgspec.msgpack.Encoder()
_shard = msgspec.msgpack.Decoder(PackedShard)
_part = msgspec.msgpack.Decoder(PackedPart)


def pack_shard(shard: PackedShard) -> bytes:
    """The state of a shard."""
    return _encoder.encode(shard)


def unpack_shard(packed: bytes) -> PackedShard:
    """What `pack_shard` has packed."""
    return _shard.decode(packed)


def pack_members(members: Iterable[tuple[str, Member]]) -> list[PackedMember]:
    """Members as plain values."""
    return [
        PackedMember(
            name,
            _content(one),
            one.linked,
            one.here,
            one.segment,
            one.since,
            one.number,
            one.queued,
        )
        for name, one in members
    ]


def unpack_member(packed: PackedMember) -> Member:
    """The member of `pack_members`."""
    member = Member()
    _fill(member, packed.content)
    member.linked, member.here = packed.linked, packed.here
    member.segment, member.since = packed.segment, packed.since
    member.number, member.queued = packed.number, packed.queued
    return member


def pack_part(member: Member) -> bytes:
    """What an id adds to a person, and what was told of it while it was alone."""
    part = PackedPart(_content(member), member.segment, member.since, member.number)
    return _encoder.encode(part)


def take_part(member: Member, packed: bytes) -> None:
    """Put what `pack_part` has packed in the place of what was there."""
    part = _part.decode(packed)
    _fill(member, part.content)
    if not member.here:
        member.segment, member.since, member.number = part.segment, part.since, part.number
        member.here = True


def _content(member: Member) -> Content:
    return Content(
        member.bought.tobytes(),
        b"" if member.back is None else member.back.tobytes(),
        member.past,
        sorted(member.consents.items()) if member.consents else [],
        member.profile,
        member.registered,
        member.newest,
        b"" if member.opened is None else member.opened.tobytes(),
    )


def _fill(member: Member, content: Content) -> None:
    member.bought = array("q", content.bought)
    member.back = array("q", content.back) if content.back else None
    member.past = content.past
    member.consents = dict(content.consents) or None
    member.profile, member.registered = content.profile, content.registered
    member.newest = content.newest
    member.opened = array("q", content.opened) if content.opened else None
