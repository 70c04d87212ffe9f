"""The desk as a till sees it: a basket instead of amounts, priced by the campaign's rule."""

from __future__ import annotations

from operators.coupons.offers import Holding, Offers, offers
from operators.coupons.valid import barred
from operators.coupons.worth import Worth, paid_back, worth
from schemas.coupons import Basket, CouponRule
from schemas.money import money_words
from sinks.coupons import calls, rejecting
from sinks.coupons.calls import Peeked, Published
from sinks.coupons.errors import InvalidCall, Refused, UnknownCoupon
from sinks.coupons.model import Coupon
from sinks.coupons.protocol import Protocol
from sinks.redis.scripted import Steps


def offered(
    desk: Protocol, known: Published, member: str, basket: Basket, order: str
) -> Steps[Offers]:
    """What the member's coupons do to a basket; see `CouponDesk.offering`."""
    look = yield from calls.of_member(desk, member)
    full = {each.campaign: each.full for each in look.campaigns}
    holdings = [
        Holding(
            one.coupon,
            known.rule(one.campaign),
            one.valid_from,
            one.valid_to,
            one.order,
            one.ends if one.state == "reserved" else 0,
            full.get(one.campaign, ""),
        )
        for one in look.coupons
        if one.state not in {"redeemed", "expired"}
    ]
    return offers(holdings, basket, look.at, known.zone, known.currency, order=order)


def reserve(
    desk: Protocol,
    known: Published,
    coupon: str,
    basket: Basket,
    *,
    call: str,
    order: str,
    ttl_seconds: float | None,
    buyer: str,
) -> Steps[Coupon]:
    """Reserve a coupon for a basket; see `CouponDesk.reserving`."""
    try:
        found = yield from calls.peek(desk, coupon)
        rule = known.rule(found.campaign)
        what = _priced(known, rule, found, basket, found.at, order)
        return (
            yield from calls.reserve(
                desk,
                coupon,
                call=call,
                order=order,
                store=basket.store,
                amount=what.cost,
                basket=what.base,
                ttl_seconds=ttl_seconds or desk.settings.ttl_seconds,
                buyer=buyer,
            )
        )
    except (Refused, UnknownCoupon) as why:
        yield from rejecting.tell(desk, "reserve", coupon, order, basket.store, why)
        raise


def redeem(
    desk: Protocol,
    known: Published,
    coupon: str,
    basket: Basket | None,
    *,
    call: str,
    order: str,
    occurred_at: int,
    buyer: str,
) -> Steps[Coupon]:
    """Redeem what was reserved, or a basket at once; see `CouponDesk.redeeming`."""
    what, offline_hours = None, 0
    store = basket.store if basket is not None else ""
    try:
        # What was reserved is redeemed in one trip.
        if basket is not None or occurred_at:
            found = yield from calls.peek(desk, coupon)
            rule = known.rule(found.campaign)
            offline_hours = rule.offline_hours
        if basket is not None:
            offline = occurred_at and 0 <= found.at - occurred_at <= rule.offline_hours * 3_600_000
            at = occurred_at if offline else found.at
            what = _priced(known, rule, found, basket, at, order)
        return (
            yield from calls.redeem(
                desk,
                coupon,
                call=call,
                order=order,
                store=store,
                amount=None if what is None else what.cost,
                basket=0 if what is None else what.base,
                occurred_at=occurred_at,
                offline_hours=offline_hours,
                buyer=buyer,
            )
        )
    except (Refused, UnknownCoupon) as why:
        yield from rejecting.tell(desk, "redeem", coupon, order, store, why)
        raise


def paid_back_of(rule: CouponRule, made: Coupon) -> int:
    """What the customer gets for the goods of this rollback, in minor units."""
    off = 0 if rule.kind == "gift" else made.amount
    return paid_back(made.basket, off, made.returned - made.returned_now, made.returned_now)


def _priced(
    known: Published, rule: CouponRule, found: Peeked, basket: Basket, at: int, order: str
) -> Worth:
    """What the coupon is worth.

    Raises:
        Refused: it does not count here and now, or not for this basket.
    """
    if not basket.lines:
        msg = "the basket has no lines"
        raise InvalidCall(msg)
    # An answer that was given stays: what this order has reserved or redeemed is not judged again.
    if not found.is_of(order):
        why = barred(rule, basket.store, at, known.zone)
        if why is not None:
            raise Refused(why)
    what = worth(rule, basket)
    if what.missing:
        msg = f"{money_words(what.missing, known.currency)} more are needed"
        raise Refused("no_goods" if what.base == 0 else "below_threshold", msg)
    if not what.counts:
        reason = "no_goods"
        raise Refused(reason)
    return what
