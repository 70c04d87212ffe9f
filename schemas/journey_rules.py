"""What holds for all journeys of a chain: `journeys:` of the chain's file."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.member_events import Channel

MessageClass = Literal["marketing", "service"]
Hours = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")]


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most so many marketing messages to a member in so many days, over all journeys.

    `rolling` days are 24 hours back from the moment of sending, `calendar` days begin at midnight
    of the member's zone. Service messages neither count nor are held back.
    """

    most: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    days: Annotated[float, msgspec.Meta(gt=0, le=366)]
    window: Literal["rolling", "calendar"] = "rolling"


class ChannelPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a channel may carry, and whose consent it needs.

    `offers`: whether coupons and gifts may be spoken of in it.
    """

    consent: Channel
    classes: tuple[MessageClass, ...] = ("marketing", "service")
    offers: bool = True


# Platforms' rules change, so they are configuration. WeChat forbids offers in template messages;
# a subscription message needs a consent of its own for each message.
CHANNELS: dict[str, ChannelPolicy] = {
    "sms": ChannelPolicy("sms"),
    "wechat_template": ChannelPolicy("wechat", ("service",), offers=False),
    "wechat_subscription": ChannelPolicy("wechat"),
    "wecom": ChannelPolicy("wecom"),
    "mini_program": ChannelPolicy("mini_program"),
    "email": ChannelPolicy("email"),
    "phone": ChannelPolicy("phone"),
    "pos": ChannelPolicy("pos"),
}


class JourneysConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every journey of the chain keeps to.

    `quiet_hours` and `caps` hold for marketing; a journey may narrow them, never widen.
    `max_event_age_hours`: what happened longer ago lets nobody in, so a backfill sends nothing.
    `ttl_hours`: what could not be sent for so long is not sent any more. `holdout` percent of
    members are treated by no journey; another `holdout_version` draws them anew. `coupons`: the
    file of what journeys give, seen from the chain's file; the linter looks there.
    """

    quiet_hours: Hours | None = "21:00-09:00"
    caps: tuple[Cap, ...] = (Cap(1, 1.0), Cap(3, 7.0))
    max_event_age_hours: Annotated[float, msgspec.Meta(gt=0, le=8760)] = 24.0
    ttl_hours: Annotated[float, msgspec.Meta(gt=0, le=8760)] = 72.0
    holdout: Annotated[float, msgspec.Meta(ge=0, le=50)] = 0.0
    holdout_version: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "1"
    coupons: str | None = None
    channels: dict[str, ChannelPolicy] = msgspec.field(default_factory=lambda: dict(CHANNELS))
