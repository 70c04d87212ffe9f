"""`stock.reservation.v1`: what became of a claim on units, as the hold gate's outbox tells it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.movement import Name, Quantity

RESERVATION_TYPE = "stock.reservation.v1"

ReservationState = Literal["held", "confirmed", "released", "expired", "expired_short"]
Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Reservation(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """One line of a hold, in its new state.

    `hold_seq` numbers the confirmed lines of one SKU and place from 1 without a gap: a position
    says up to which number it contains them. It is 0 in every other state. `expires_at` (RFC 3339)
    is there while the line is held.
    """

    reservation: Name
    sku: Name
    place: Name
    quantity: Quantity
    state: ReservationState
    hold_seq: Sequence = 0
    order: str | None = None
    expires_at: str | None = None
    channel: str | None = None
