"""The events that members read, as their lines have them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas import member_events as events
from schemas.envelope import Instant
from schemas.journeys import Heard
from schemas.member_events import Origin
from schemas.message_events import (
    MESSAGE_DELIVERED_TYPE,
    MESSAGE_FAILED_TYPE,
    MESSAGE_OPENED_TYPE,
)
from schemas.movement import Name
from schemas.shop_events import ORDER_TYPE

Amount = Annotated[int, msgspec.Meta(ge=-(10**13), le=10**13)]


class Order(msgspec.Struct, gc=False):
    """What members need of schemas.shop_events.Order."""

    store: Name
    order: Name
    amount: Amount
    currency: str = "CNY"
    member: str | None = None


class _Line(msgspec.Struct, gc=False, tag_field="type", kw_only=True):
    specversion: Literal["1.0"]
    id: Name
    source: Name
    time: Instant
    origin: Origin = "live"


class _OrderLine(_Line, tag=ORDER_TYPE, gc=False, kw_only=True):
    data: Order


class _RefundLine(_Line, tag=events.REFUND_TYPE, gc=False, kw_only=True):
    data: events.Refund


class _RegisteredLine(_Line, tag=events.REGISTERED_TYPE, gc=False, kw_only=True):
    data: events.Registered


class _MergedLine(_Line, tag=events.MERGED_TYPE, gc=False, kw_only=True):
    data: events.Merged


class _UnmergedLine(_Line, tag=events.UNMERGED_TYPE, gc=False, kw_only=True):
    data: events.Unmerged


class _ErasedLine(_Line, tag=events.ERASED_TYPE, kw_only=True):
    data: events.Erased


class _ConsentLine(_Line, tag=events.CONSENT_TYPE, gc=False, kw_only=True):
    data: events.ConsentChanged


class _ThresholdsLine(_Line, tag=events.THRESHOLDS_TYPE, gc=False, kw_only=True):
    data: events.ThresholdsPublished


class _Answered(msgspec.Struct, gc=False):
    message: Name
    member: Name
    channel: str = ""
    reason: str = ""


class _OpenedLine(_Line, tag=MESSAGE_OPENED_TYPE, gc=False, kw_only=True):
    data: _Answered


class _DeliveredLine(_Line, tag=MESSAGE_DELIVERED_TYPE, gc=False, kw_only=True):
    data: _Answered


class _FailedLine(_Line, tag=MESSAGE_FAILED_TYPE, gc=False, kw_only=True):
    data: _Answered


Answered = _OpenedLine | _DeliveredLine | _FailedLine
# What each line says of a message.
HEARD: dict[type, Heard] = {
    _OpenedLine: "opened",
    _DeliveredLine: "delivered",
    _FailedLine: "failed",
}
Line = (
    _OrderLine
    | _RefundLine
    | _RegisteredLine
    | _MergedLine
    | _UnmergedLine
    | _ErasedLine
    | _ConsentLine
    | _ThresholdsLine
    | _OpenedLine
    | _DeliveredLine
    | _FailedLine
)
TYPES = (
    ORDER_TYPE,
    events.REFUND_TYPE,
    events.REGISTERED_TYPE,
    events.MERGED_TYPE,
    events.UNMERGED_TYPE,
    events.ERASED_TYPE,
    events.CONSENT_TYPE,
    events.THRESHOLDS_TYPE,
    MESSAGE_OPENED_TYPE,
    MESSAGE_DELIVERED_TYPE,
    MESSAGE_FAILED_TYPE,
)
