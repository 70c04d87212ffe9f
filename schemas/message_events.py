"""What became of messages to members, and what members subscribed to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from schemas.movement import Name

MESSAGE_ACCEPTED_TYPE = "message.accepted.v1"
MESSAGE_DELIVERED_TYPE = "message.delivered.v1"
MESSAGE_FAILED_TYPE = "message.failed.v1"
MESSAGE_UNKNOWN_TYPE = "message.unknown.v1"
MESSAGE_OPENED_TYPE = "message.opened.v1"
SUBSCRIPTION_TYPE = "member.subscription.v1"

DeliveryStatus = Literal["accepted", "delivered", "failed", "unknown"]
MESSAGE_TYPES: dict[DeliveryStatus, str] = {
    "accepted": MESSAGE_ACCEPTED_TYPE,
    "delivered": MESSAGE_DELIVERED_TYPE,
    "failed": MESSAGE_FAILED_TYPE,
    "unknown": MESSAGE_UNKNOWN_TYPE,
}


class MessageOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message in a channel; columns are explained in `message_delivery`."""

    message: str
    channel: str
    member: str
    status: DeliveryStatus
    reason: str
    provider: str
    provider_id: str
    provider_code: str
    attempts: int
    at: datetime


class Opened(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """A member opened a message, or followed its link; whoever shows it tells that.

    `message` is the id of `message.decided.v1`: put it into the link or page of the template.
    """

    message: Name
    member: Name
    channel: str = ""


class Subscription(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """A member allowed so many messages of a WeChat template, or refused any more of them.

    The mini-program tells it after wx.requestSubscribeMessage; `template` is WeChat's id of it.
    """

    member: Name
    template: Name
    status: Literal["granted", "refused"]
    credits: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
