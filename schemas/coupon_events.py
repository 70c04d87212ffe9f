"""What happens to the coupons of members, as the outbox of the coupon desk tells it.

All on one topic, keyed by member, so that what happens to one coupon keeps its order.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from schemas.movement import Name

COUPON_TOPIC = "coupon.event.v1"
# Whose the coupons of erased members are; nobody has this id.
ERASED = "erased"

What = Literal["issued", "reserved", "released", "redeemed", "rolled_back", "expired"]
WHATS: tuple[What, ...] = get_args(What)
Amount = Annotated[int, msgspec.Meta(ge=0, le=10**13, description="minor units")]


def type_of(what: str) -> str:
    """The CloudEvents type: `coupon.redeemed.v1`."""
    return f"coupon.{what}.v1"


TYPES: tuple[str, ...] = tuple(type_of(what) for what in WHATS)
# That a till could not use one. It is of the same topic, and changes no coupon.
REJECTED = "redeem_rejected"
REJECTED_TYPE = type_of(REJECTED)
# The code where there is no such coupon; all others are those of the API's refusals.
UNKNOWN_COUPON = "unknown_coupon"


class CouponEvent(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """One coupon, in its new state; `member` is whose it is, a pseudonym, or `erased`.

    `amount_off` is what it took off (redeemed), would (reserved), or gave back (rolled back);
    `basket` what the goods that count cost before it. `by` is who used it, where that was another
    member. `cause` of a release: `asked` or `lapsed`. A rollback names its `refund`; `partial`
    when only some of the goods came back, and the coupon stays redeemed.
    `message`, `experiment` and `arm` say what it was issued by.
    """

    coupon: Name
    campaign: Name
    member: Name
    valid_from: str
    valid_to: str
    order: str | None = None
    store: str | None = None
    amount_off: Amount | None = None
    basket: Amount | None = None
    by: str | None = None
    until: str | None = None
    cause: Literal["asked", "lapsed"] | None = None
    refund: str | None = None
    returned: Amount | None = None
    partial: bool = False
    message: str | None = None
    experiment: str | None = None
    arm: str | None = None


class CouponRejected(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """A coupon that a till asked for and did not get: told once a coupon, order and code.

    Without `campaign` and `member` there is no such coupon, and `coupon` is a hash of what the till
    said: it may have been anything, a telephone number as well. `left_out` rejections before this
    one were not told, for too many were there.
    """

    coupon: Name
    order: Name
    verb: Literal["reserve", "redeem"]
    rejection_code: Name
    campaign: str | None = None
    member: str | None = None
    store: str | None = None
    left_out: int = 0
