"""A store's state as plain values, and back: what snapshots are made of."""

from __future__ import annotations

from typing import Any

import msgspec

from operators.footfall.pace import Days
from operators.footfall.rules import FootfallRules
from operators.footfall.silence import Sensor
from operators.footfall.store import Store
from operators.footfall.window import Window


class PackedStore(msgspec.Struct, array_like=True):
    """The state of one store; bits as bytes, for they are longer than any integer of the format."""

    name: str
    newest: list[int]
    seen: list[dict[str, int]]
    keys: list[dict[int, list[str]]]
    windows: dict[int, Window]
    days: Days
    sensors: dict[str, tuple[int, bytes, bytes]]
    base: int
    closed: int
    last: int
    bits: list[bytes]
    dirty: list[int]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[PackedStore])


def pack_stores(stores: Any) -> bytes:
    """The states of stores."""
    return _encoder.encode([_packed(store) for store in stores])


def unpack_stores(packed: bytes, rules: FootfallRules, floor: int) -> list[Store]:
    """The stores of `pack_stores`; `floor`: see Store."""
    return [_store(one, rules, floor) for one in _decoder.decode(packed)]


def _packed(store: Store) -> PackedStore:
    sensors = {
        name: (one.kind, _bytes(one.reports), _bytes(one.silent))
        for name, one in store.sensors.items()
    }
    bits = [store.lit, store.busy, store.inside, store.exists, *store.silent]
    return PackedStore(
        store.name,
        store.newest,
        store.seen,
        store.keys,
        store.windows,
        store.days,
        sensors,
        store.base,
        store.closed,
        store.last,
        [_bytes(each) for each in bits],
        sorted(store.dirty),
    )


def _store(packed: PackedStore, rules: FootfallRules, floor: int) -> Store:
    store = Store(packed.name, rules, packed.last, floor)
    store.newest = packed.newest
    store.seen = packed.seen
    store.keys = packed.keys
    store.windows = packed.windows
    store.days = packed.days
    store.sensors = {
        name: Sensor(kind, _bits(reports), _bits(silent))
        for name, (kind, reports, silent) in packed.sensors.items()
    }
    store.base = packed.base
    store.closed = packed.closed
    store.last = packed.last
    bits = [_bits(each) for each in packed.bits]
    store.lit, store.busy, store.inside, store.exists, *store.silent = bits
    store.dirty = set(packed.dirty)
    return store


def _bytes(bits: int) -> bytes:
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


def _bits(packed: bytes) -> int:
    return int.from_bytes(packed, "little")
