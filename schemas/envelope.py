"""The CloudEvents 1.0 envelope in structured JSON, one event a line.

Two events are the same event when `source` and `id` are the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from schemas.movement import MOVEMENT_TYPE, Movement, Name
from schemas.reservation import RESERVATION_TYPE, Reservation
from schemas.shop_events import ORDER_TYPE, VISIT_TYPE, Order, Visit

Instant = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 with an offset")]
D = TypeVar("D")


class Envelope(msgspec.Struct, Generic[D], gc=False, kw_only=True, omit_defaults=True):
    """The attributes of CloudEvents 1.0 that tillflow reads; others are left out of the way."""

    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: str
    time: Instant
    subject: str | None = None
    recordedtime: Instant | None = None
    sequence: str | None = None
    correlationid: str | None = None
    partitionkey: str | None = None
    data: D


class MovementEvent(Envelope[Movement], gc=False, kw_only=True, omit_defaults=True):
    """One `stock.movement.v1`."""

    type: Literal["stock.movement.v1"]


class VisitEvent(Envelope[Visit], gc=False, kw_only=True, omit_defaults=True):
    """One `store.visit.v1`."""

    type: Literal["store.visit.v1"]


class OrderEvent(Envelope[Order], kw_only=True, omit_defaults=True):
    """One `pos.order.v1`."""

    type: Literal["pos.order.v1"]


class ReservationEvent(Envelope[Reservation], gc=False, kw_only=True, omit_defaults=True):
    """One `stock.reservation.v1`."""

    type: Literal["stock.reservation.v1"]


class Header(msgspec.Struct, gc=False):
    """Just enough of a line to say whose event it is."""

    type: str = ""
    id: str = ""
    source: str = ""


EVENT_STRUCTS: dict[str, type] = {
    MOVEMENT_TYPE: MovementEvent,
    RESERVATION_TYPE: ReservationEvent,
    VISIT_TYPE: VisitEvent,
    ORDER_TYPE: OrderEvent,
}
