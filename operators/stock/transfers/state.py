"""What a shard remembers of one SKU, as plain values that go into a snapshot as they are.

Instants are microseconds since 1970 UTC, quantities units.
"""

from __future__ import annotations

from typing import Final

import msgspec

from schemas.transfer import TransferSuggestion

PROPOSED: Final = "proposed"
ACCEPTED: Final = "accepted"
SHIPPED: Final = "shipped"
EXECUTED: Final = "executed"
REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
SUPERSEDED: Final = "superseded"
# Open: units are claimed at the donor and counted at the taker.
OPEN = (PROPOSED, ACCEPTED)
CLOSED = (REJECTED, EXPIRED, SUPERSEDED, EXECUTED)


class PlaceState(msgspec.Struct, array_like=True, gc=False):
    """The newest position of a place, as far as planning needs it."""

    pool: str
    available: int
    in_transit: int
    safety_stock: int
    rate: float
    version: int
    as_of: int


class Risk(msgspec.Struct, array_like=True):
    """An open alert that promises cannot be kept: units, and the orders that wait."""

    alert: str
    units: int
    orders: list[str]


class Pair(msgspec.Struct, array_like=True, gc=False):
    """Peace after goods went from one place to another, or somebody said no or nothing.

    Until `cool_until` nothing goes back or on from the taker, until `quiet_until` nothing more
    goes this way.
    """

    cool_until: int = 0
    quiet_until: int = 0

    def rest(self, now: int, cool_down: int, repeat: int) -> None:
        """Goods went at `now`."""
        self.cool_until = max(self.cool_until, now + cool_down)
        self.quiet_until = max(self.quiet_until, now + repeat)


class Shipment(msgspec.Struct, array_like=True):
    """One transfer of the SKU on the road or just arrived, planned or not.

    `moves` are its movements by identity: +units sent, -units received or explained. `alert_at` is
    when its alert was raised (0: never), `alerted` what was missing then.
    """

    transfer: str
    from_place: str
    to_place: str
    begun_at: int
    moves: dict[str, int] = {}
    last_out: int = 0
    first_in: int = 0
    alert_at: int = 0
    alerted: int = 0
    settled_at: int = 0

    @property
    def sent(self) -> int:
        """Units that left."""
        return sum(units for units in self.moves.values() if units > 0)

    @property
    def received(self) -> int:
        """Units that arrived or were explained."""
        return -sum(units for units in self.moves.values() if units < 0)


class SkuState(msgspec.Struct, array_like=True):
    """All of one SKU: places, suggestions, pairs in peace, transfers on the road.

    `number` counts suggestions, `planned_at` is when it was last planned, `dirty_at` since when
    the plan may be out of date (0: it is not), `planned_risk` which risks the last plan knew.
    `taken_back` are corrections by the identity they take back, with when they came.
    """

    number: int = 0
    planned_at: int = 0
    dirty_at: int = 0
    places: dict[str, PlaceState] = {}
    risks: dict[str, Risk] = {}
    planned_risk: dict[str, int] = {}
    suggestions: dict[str, TransferSuggestion] = {}
    pairs: dict[str, dict[str, Pair]] = {}
    shipments: dict[str, dict[str, Shipment]] = {}
    taken_back: dict[str, int] = {}

    def pair(self, here: str, there: str) -> Pair:
        """The peace from one place to another, made if there is none."""
        return self.pairs.setdefault(here, {}).setdefault(there, Pair())

    def peace(self, here: str, there: str) -> Pair:
        """The peace from one place to another as it is."""
        return self.pairs.get(here, {}).get(there, _NO_PEACE)


_NO_PEACE = Pair()
