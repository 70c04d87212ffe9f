"""What shards with journeys and health keep: their state, and entries of their journal."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from operators.members.health.watch import PackedWatch

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


State = tuple[bytes, bytes, PackedWatch]
_encoder = msgspec.msgpack.Encoder()
_entry = msgspec.msgpack.Decoder(Entry)
_state = msgspec.msgpack.Decoder(State)
_older = msgspec.msgpack.Decoder(tuple[bytes, bytes])
pack_entry: Callable[[Entry], bytes] = _encoder.encode
unpack_entry: Callable[[bytes], Entry] = _entry.decode
pack_state: Callable[[State], bytes] = _encoder.encode


def unpack_state(version: int, packed: bytes) -> tuple[bytes, bytes, PackedWatch | None]:
    """People, desk and watch; a state of before health has none.

    Raises:
        ValueError: it was made by another version.
    """
    if version == VERSION:
        people, desk, watch = _state.decode(packed)
        return people, desk, watch
    if version != WITHOUT_HEALTH:
        msg = f"members' state of version {version}, this tillflow knows {VERSION}"
        raise ValueError(msg)
    people, desk = _older.decode(packed)
    return people, desk, None
