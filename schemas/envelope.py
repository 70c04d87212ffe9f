"""The CloudEvents 1.0 envelope in structured JSON, one event a line.

Two events are the same event when `source` and `id` are the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from schemas.coupon_events import REJECTED_TYPE, CouponEvent, CouponRejected
from schemas.coupon_events import TYPES as COUPON_TYPES
from schemas.member_events import (
    CONSENT_TYPE,
    ERASED_TYPE,
    MERGED_TYPE,
    REFUND_TYPE,
    REGISTERED_TYPE,
    THRESHOLDS_TYPE,
    UNMERGED_TYPE,
    ConsentChanged,
    Erased,
    Merged,
    Origin,
    Refund,
    Registered,
    ThresholdsPublished,
    Unmerged,
)
from schemas.message_events import MESSAGE_OPENED_TYPE, SUBSCRIPTION_TYPE, Opened, Subscription
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
    origin: Origin = "live"
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


class RefundEvent(Envelope[Refund], gc=False, kw_only=True, omit_defaults=True):
    """One `pos.refund.v1`."""

    type: Literal["pos.refund.v1"]


class RegisteredEvent(Envelope[Registered], gc=False, kw_only=True, omit_defaults=True):
    """One `member.registered.v1`."""

    type: Literal["member.registered.v1"]


class MergedEvent(Envelope[Merged], gc=False, kw_only=True, omit_defaults=True):
    """One `member.merged.v1`."""

    type: Literal["member.merged.v1"]


class UnmergedEvent(Envelope[Unmerged], gc=False, kw_only=True, omit_defaults=True):
    """One `member.unmerged.v1`."""

    type: Literal["member.unmerged.v1"]


class ErasedEvent(Envelope[Erased], kw_only=True, omit_defaults=True):
    """One `member.erased.v1`."""

    type: Literal["member.erased.v1"]


class ConsentEvent(Envelope[ConsentChanged], gc=False, kw_only=True, omit_defaults=True):
    """One `member.consent.v1`."""

    type: Literal["member.consent.v1"]


class ThresholdsEvent(Envelope[ThresholdsPublished], gc=False, kw_only=True, omit_defaults=True):
    """One `member.thresholds.v1`."""

    type: Literal["member.thresholds.v1"]


class CouponEnvelope(Envelope[CouponEvent], gc=False, kw_only=True, omit_defaults=True):
    """One of the events of `coupon.event.v1`."""

    type: Literal[
        "coupon.issued.v1",
        "coupon.reserved.v1",
        "coupon.released.v1",
        "coupon.redeemed.v1",
        "coupon.rolled_back.v1",
        "coupon.expired.v1",
    ]


class RejectedEvent(Envelope[CouponRejected], gc=False, kw_only=True, omit_defaults=True):
    """One `coupon.redeem_rejected.v1`, on `coupon.event.v1`."""

    type: Literal["coupon.redeem_rejected.v1"]


class SubscriptionEvent(Envelope[Subscription], gc=False, kw_only=True, omit_defaults=True):
    """One `member.subscription.v1`."""

    type: Literal["member.subscription.v1"]


class OpenedEvent(Envelope[Opened], gc=False, kw_only=True, omit_defaults=True):
    """One `message.opened.v1`."""

    type: Literal["message.opened.v1"]


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
    REFUND_TYPE: RefundEvent,
    REGISTERED_TYPE: RegisteredEvent,
    MERGED_TYPE: MergedEvent,
    UNMERGED_TYPE: UnmergedEvent,
    ERASED_TYPE: ErasedEvent,
    CONSENT_TYPE: ConsentEvent,
    THRESHOLDS_TYPE: ThresholdsEvent,
    **dict.fromkeys(COUPON_TYPES, CouponEnvelope),
    REJECTED_TYPE: RejectedEvent,
    SUBSCRIPTION_TYPE: SubscriptionEvent,
    MESSAGE_OPENED_TYPE: OpenedEvent,
}
