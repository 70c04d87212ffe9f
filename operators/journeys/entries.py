"""What shards with journeys and health keep: their state, and entries of their journal."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from operators.members.facts import Answer
from operators.members.health.watch import PackedWatch
from operators.members.rows import Why

VERSION = 3
# Before health was kept.
WITHOUT_HEALTH = 2
# How journal entries of ours begin, and what they are of.
OURS = b"j"
APPLIED, FLUSHED, TICKED = 0, 1, 2


class Entry(msgspec.Struct, array_like=True):
    """One journal entry: `texts` are files that came in force with it, `health` a model's.

    `current` and `health` are None where nothing has changed; an empty model is none any more.
    `holds`: the desk did nothing of its own, for not all was known that was there at the start.
    """

    kind: int
    now: int
    current: dict[str, str] | None
    texts: dict[str, str]
    inner: bytes
    health: bytes | None = None
    holds: bool = False


class Early(msgspec.Struct, array_like=True):
    """What came before all ids of a person were known, by id: seen, or heard, when they are.

    Their own shards are telling them already, so it is never much.
    """

    seen: dict[str, list[Why]]
    heard: dict[str, list[Answer]]


class State(msgspec.Struct, array_like=True):
    """A shard: its people, its desk, its watch, and what came early.

    The last two were added one by one, so what an older tillflow stored is without them.
    """

    people: bytes
    desk: bytes
    watch: PackedWatch | None = None
    early: Early = msgspec.field(default_factory=lambda: Early({}, {}))


_encoder = msgspec.msgpack.Encoder()
_entry = msgspec.msgpack.Decoder(Entry)
_state = msgspec.msgpack.Decoder(State)
pack_entry: Callable[[Entry], bytes] = _encoder.encode
unpack_entry: Callable[[bytes], Entry] = _entry.decode
pack_state: Callable[[State], bytes] = _encoder.encode


def unpack_state(version: int, packed: bytes) -> State:
    """What was stored.

    Raises:
        ValueError: it was made by another version.
    """
    if version not in (WITHOUT_HEALTH, VERSION):
        msg = f"members' state of version {version}, this tillflow knows {VERSION}"
        raise ValueError(msg)
    return _state.decode(packed)
