"""A till's refusal is told, too: on the outbox, before the till has its answer."""

from __future__ import annotations

from schemas.coupon_events import UNKNOWN_COUPON
from sinks.coupons.errors import DeskFull, Refused, UnknownCoupon
from sinks.coupons.protocol import MAX_NAME, Protocol, digest, fingerprint
from sinks.redis.scripted import Steps


def tell(
    desk: Protocol, verb: str, coupon: str, order: str, store: str, why: Refused | UnknownCoupon
) -> Steps[None]:
    """Tell that a coupon was not to be had, once a coupon, order and code.

    A call that is made again because no answer came is told once, too. At the server's memory limit
    nothing is told: what customers are owed comes first.
    """
    if not 1 <= len(order) <= MAX_NAME or len(store) > MAX_NAME:
        return  # no event could name it
    code = why.reason if isinstance(why, Refused) else UNKNOWN_COUPON
    payload = {
        # What stood where a coupon's id should be may be anything.
        "unknown": f"unknown-{digest(coupon)[:20]}",
        "mark": fingerprint(coupon, order, code)[:16],
        "verb": verb,
        "order": order,
        "store": store,
        "code": code,
    }
    keys = [desk.keys.coupon(coupon), desk.keys.unknown]
    try:
        yield from desk.call("reject", keys, payload)
    except DeskFull:
        return
