"""What goes over the wire about coupons, with the words of the OpenAPI page."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.coupons import Basket, Gift, Kind, Names
from schemas.movement import Name
from serving.holds.messages import ID_PATTERN
from sinks.coupons.model import CouponState

CallId = Annotated[
    Name,
    Meta(
        description="The caller's own id of this call: the same call again gets the same answer.",
        examples=["till-3-000123-a"],
    ),
]
CouponId = Annotated[
    Name,
    Meta(
        pattern=ID_PATTERN,
        description="The coupon's id, without `/`. Whoever issues makes it, best from the message "
        "that brings it: so a repetition is the same coupon.",
        examples=["msg-81-m4711"],
    ),
]
Campaign = Annotated[Name, Meta(description="Its id in the file.", examples=["c280-50"])]
Order = Annotated[
    Name, Meta(description="The order or receipt, unique in the chain.", examples=["S001-000123"])
]
Minor = Annotated[int, Meta(ge=0, description="Minor units (fen, cents).", examples=[5000])]
Member = Annotated[Name, Meta(description="A pseudonym, as in every event.", examples=["m4711"])]
Seconds = Annotated[float, Meta(gt=0, le=86_400, description="Seconds from now.", examples=[600])]
Instant = Annotated[datetime, Meta(tz=True)]
Part = Annotated[int, Meta(ge=1, description="Minor units (fen, cents).", examples=[9000])]
Buyer = Annotated[
    Name | None,
    Meta(description="Who stands at the till, where that is known: others' coupons are refused."),
]


class IssueRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A coupon for a member."""

    id: CouponId
    campaign: Campaign
    member: Member
    message: Annotated[Name | None, Meta(description="What brings it.")] = None
    experiment: Name | None = None
    arm: Name | None = None


class ReserveRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A coupon for an order that is not paid yet."""

    id: CallId
    order: Order
    basket: Basket
    ttl_seconds: Annotated[
        Seconds | None, Meta(description="How long; left out: the server's default.")
    ] = None
    member: Buyer = None


class RedeemRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that is paid."""

    id: CallId
    order: Order
    basket: Annotated[
        Basket | None, Meta(description="Left out: what this order reserved, even if it lapsed.")
    ] = None
    occurred_at: Annotated[
        Instant | None,
        Meta(
            description="When a till that was offline sold; counts within the campaign's "
            "`offline_hours`.",
        ),
    ] = None
    member: Buyer = None


class ReleaseRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that will not use its reservation."""

    id: CallId
    order: Order


class RollbackRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Goods of an order came back."""

    refund: Annotated[Name, Meta(description="The refund's id; it counts once.", examples=["R-7"])]
    order: Order
    returned: Annotated[
        Part | None,
        Meta(
            description="What the goods that came back cost, of those that count for the coupon; "
            "left out: all of them.",
        ),
    ] = None


class OffersRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What lies at the till or in the cart."""

    member: Member
    basket: Basket
    order: Annotated[
        Name | None, Meta(description="What this order has reserved counts as usable.")
    ] = None


class CouponAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A coupon as it was when the call was made."""

    id: CouponId
    campaign: Campaign
    member: Member
    state: Annotated[
        CouponState,
        Meta(description="rolled_back is as good as issued. What lapsed or expired says so."),
    ]
    valid_from: datetime
    valid_to: Annotated[datetime, Meta(description="Not included.")]
    order: str | None = None
    store: str | None = None
    amount_off: Annotated[Minor | None, Meta(description="Off, or the value of the gift.")] = None
    basket: Annotated[Minor | None, Meta(description="What the goods that count cost.")] = None
    reserved_until: datetime | None = None
    used_by: Annotated[str | None, Meta(description="Where that was another member.")] = None
    returned: Annotated[Minor | None, Meta(description="Goods that came back so far.")] = None
    replayed: Annotated[bool, Meta(description="Whether this call changed nothing.")] = False


class RollbackAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A rolled back coupon; redeemed still where only a part came back."""

    coupon: CouponAnswer
    pay_back: Annotated[
        Minor, Meta(description="What the customer gets: the goods less their share of the coupon.")
    ]


class OfferAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One coupon on this basket."""

    coupon: CouponId
    campaign: Campaign
    name: Names
    kind: Kind
    off: Minor
    missing: Annotated[Minor, Meta(description="What goods that count would have to cost more.")]
    valid_to: datetime
    zh: Annotated[str, Meta(examples=["立减 50.00 元"])]
    en: Annotated[str, Meta(examples=["25.00 more and 50.00 off"])]
    lines: Annotated[list[int], Meta(description="Off each line of the basket.")] = []
    gift: Gift | None = None
    reason: Annotated[str | None, Meta(description="Why it cannot be used, as a code.")] = None


class BestAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The coupons to take, in their order, and what they take off together."""

    coupons: list[str]
    off: Minor
    lines: Annotated[list[int], Meta(description="Off each line of the basket, all together.")]


class OffersAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a screen can show."""

    currency: str
    best: BestAnswer
    usable: Annotated[list[OfferAnswer], Meta(description="Each alone, most valuable first.")]
    nearly: Annotated[list[OfferAnswer], Meta(description="Nearly reached, least missing first.")]
    others: Annotated[list[OfferAnswer], Meta(description="With the reason.")]
