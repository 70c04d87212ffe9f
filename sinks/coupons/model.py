"""What goes into the desk and comes out of it, as values. Times are ms since 1970 UTC."""

from __future__ import annotations

from typing import Literal

import msgspec

from operators.coupons.offers import Offer, Offers
from schemas.coupon_events import CouponEvent, CouponRejected

__all__ = [
    "Campaign",
    "Coupon",
    "CouponState",
    "DeskState",
    "Look",
    "Offer",
    "Offers",
    "OutboxEntry",
]

CouponState = Literal["issued", "reserved", "redeemed", "rolled_back", "expired"]


class Coupon(msgspec.Struct, kw_only=True):
    """One coupon as it was when a call was answered; `replayed` when the call changed nothing.

    `amount` (off) and `basket` (what the goods that count cost) are those of `order`: reserved
    until `ends`, redeemed, or given back. `returned` sums goods that came back, `returned_now` are
    those of this call.
    """

    coupon: str
    campaign: str
    member: str
    state: CouponState
    valid_from: int
    valid_to: int
    order: str
    store: str
    amount: int
    basket: int
    by: str
    ends: int
    returned: int
    returned_now: int = 0
    replayed: bool = False
    at: int = 0


class Campaign(msgspec.Struct, kw_only=True):
    """What is used of a campaign's budget; lapsed reservations don't count.

    `full` says why not one more could be redeemed, if so.
    """

    campaign: str
    issued: int
    redeemed: int
    money: int
    reserved: int
    reserved_money: int
    stopped: str = ""
    full: str = ""


class Look(msgspec.Struct):
    """Coupons and campaigns at one moment."""

    at: int
    coupons: list[Coupon]
    campaigns: list[Campaign]


class DeskState(msgspec.Struct, kw_only=True):
    """Whether the desk is open, under which epoch, and the version that is published.

    `restarted`: Redis has been, since; `rebuilding`: somebody has begun to write it anew.
    """

    state: str
    epoch: str | None = None
    version: int = 0
    restarted: bool = False
    rebuilding: bool = False


class OutboxEntry(msgspec.Struct):
    """One event that waits to be relayed; `id` grows, `at` is when it happened."""

    id: str
    what: str
    at: int
    event: CouponEvent | CouponRejected
