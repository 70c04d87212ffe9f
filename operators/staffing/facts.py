"""What the roster flow works on: a final window of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from operators.footfall.facts import QUARTER_US
from schemas.footfall import FootfallWindow
from schemas.instants import to_micros

# One machine has all stores: what they share is learned from all of them.
PANEL = 0


class WindowFact(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """A final window; `quarter` counts quarters since 1970, `doors` and `tills`: figures good."""

    store: str
    quarter: int
    version: int
    entries: int
    orders: int
    doors: bool
    tills: bool

    @property
    def end(self) -> int:
        """The instant it is over, in microseconds since 1970."""
        return (self.quarter + 1) * QUARTER_US


class WindowBatch(NamedTuple):
    """Windows in the order they arrived."""

    shard: int
    facts: list[WindowFact]


def fact_of(window: FootfallWindow) -> WindowFact | None:
    """The fact of a window; None while it is not final, for then it says nothing yet."""
    if not window.final:
        return None
    return WindowFact(
        window.store,
        to_micros(window.start) // QUARTER_US,
        window.version,
        window.entries,
        window.orders,
        window.door_status == "ok",
        window.till_status == "ok",
    )


pack_facts = msgspec.msgpack.Encoder().encode
_facts = msgspec.msgpack.Decoder(list[WindowFact])


def unpack_facts(packed: bytes) -> Sequence[WindowFact]:
    """The facts of `pack_facts`."""
    return _facts.decode(packed)
