"""What goes into the gate and comes out of it, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from schemas.reservation import Reservation, ReservationState


@dataclass(frozen=True, slots=True)
class HoldLine:
    """Units of one SKU that are wanted, at one place or wherever the pool has them."""

    sku: str
    quantity: int
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Placing:
    """Where lines without a place are taken from.

    Always one place for all of them where one has all, in order of preference: the places of
    `order` (nearest first), then the others, most available first. Else one place an SKU, else
    (with `split`) units of one SKU from several. `single_place`: one place for all, or refuse.
    """

    order: tuple[str, ...] = ()
    single_place: bool = False
    split: bool = True


ANYWHERE = Placing()


@dataclass(frozen=True, slots=True)
class HeldLine:
    """Units of one SKU that are claimed at one place."""

    sku: str
    place: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Hold:
    """One reservation as it is now; `replayed` when the call changed nothing."""

    reservation: str
    state: ReservationState
    expires_at: datetime
    lines: list[HeldLine]
    replayed: bool
    order: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceAvailable:
    """What can be promised of one SKU at one place; below 0 where claims exceed what is there."""

    place: str
    available: int
    held: int
    on_hand: int
    version: int


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One event that waits to be relayed; `id` grows, and no two entries of a pool share one."""

    id: str
    event: Reservation
    time: datetime


@dataclass(frozen=True, slots=True)
class OverClaimed:
    """A pair where allocations and holds exceed what is on hand by `units`."""

    sku: str
    place: str
    units: int


class Projected(int):
    """How many positions were newer than what the gate had, and which pairs are over-claimed."""

    overclaimed: tuple[OverClaimed, ...]

    def __new__(cls, applied: int, overclaimed: tuple[OverClaimed, ...] = ()) -> Projected:
        """A count that also tells the pairs."""
        made = super().__new__(cls, applied)
        made.overclaimed = overclaimed
        return made


@dataclass(frozen=True, slots=True)
class Moved:
    """An unpaid line that went to another place of the pool."""

    reservation: str
    order: str | None
    to_place: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Lost:
    """An unpaid line that fits nowhere any more: the `oversell_risk` alert names it."""

    reservation: str
    order: str | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Replaced:
    """What became of a pair's youngest holds; `shortfall` is what claims still exceed by."""

    moved: list[Moved] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    shortfall: int = 0


@dataclass(frozen=True, slots=True)
class GateState:
    """Whether the gate takes holds; `restarted`: the server is not the process it was opened on.

    After a restart without `appendfsync always` the last second may be lost: rebuild the gate.
    """

    state: Literal["open", "closed", "empty"]
    epoch: str | None
    restarted: bool
