"""What to show at a till or in a cart: coupons that can be used now, and those nearly reached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from operators.coupons.best import Choice, Held, best
from operators.coupons.valid import barred
from operators.coupons.worth import Worth, worth
from schemas.coupons import Basket, CouponRule
from schemas.money import digits, money_words


@dataclass(frozen=True, slots=True)
class Holding:
    """A coupon of the member's, not redeemed, not expired; times in ms.

    `order` has it reserved until `ends`. `full` says why its campaign's budget takes no more.
    """

    coupon: str
    rule: CouponRule
    valid_from: int
    valid_to: int
    order: str = ""
    ends: int = 0
    full: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """One coupon on this basket; `reason` where it cannot be used."""

    coupon: str
    rule: CouponRule
    worth: Worth
    valid_to: int
    zh: str
    en: str
    reason: str = ""


@dataclass(slots=True)
class Offers:
    """All coupons of a member on a basket, and the best that could be used together.

    `usable` most valuable first; `nearly` least missing first; `others` with the reason.
    """

    best: Choice
    usable: list[Offer] = field(default_factory=list)
    nearly: list[Offer] = field(default_factory=list)
    others: list[Offer] = field(default_factory=list)


def offers(
    holdings: Iterable[Holding],
    basket: Basket,
    now: int,
    zone: ZoneInfo,
    currency: str,
    *,
    order: str = "",
    nearly_percent: int = 20,
) -> Offers:
    """What each coupon does to the basket at `now`.

    Nearly reached: of its threshold at most `nearly_percent` is missing, and something in the
    basket counts for it. What `order` has reserved itself is usable.
    """
    held: list[Held] = []
    found = Offers(Choice())
    for one in holdings:
        what = worth(one.rule, basket)
        reason = _reason(one, basket.store, now, zone, order)
        if not reason and what.base == 0:
            reason = "no_goods"
        if not reason and what.missing:
            reason = "below_threshold"
        offer = Offer(
            one.coupon,
            one.rule,
            what,
            one.valid_to,
            zh=_zh(one.rule, what, currency),
            en=_en(one.rule, what, currency),
            reason=reason,
        )
        near = 100 * what.missing <= nearly_percent * one.rule.threshold
        if not reason and what.counts:
            found.usable.append(offer)
            held.append(Held(one.coupon, one.rule, one.valid_to))
        elif reason == "below_threshold" and near:
            found.nearly.append(offer)
        else:
            found.others.append(offer)
    found.usable.sort(key=lambda each: (-each.worth.cost, each.valid_to, each.coupon))
    found.nearly.sort(key=lambda each: (each.worth.missing, each.valid_to, each.coupon))
    found.others.sort(key=lambda each: each.coupon)
    found.best = best(held, basket)
    return found


def _reason(one: Holding, store: str, now: int, zone: ZoneInfo, order: str) -> str:
    if one.ends > now:
        return "" if one.order == order else "reserved_elsewhere"
    if one.rule.stopped == "all":
        return "stopped"
    if now < one.valid_from:
        return "not_yet"
    if now >= one.valid_to:
        return "expired"
    return one.full or barred(one.rule, store, now, zone) or ""


def _zh(rule: CouponRule, what: Worth, currency: str) -> str:
    gets = _gets_zh(rule, what, currency)
    if what.missing:
        return f"再买 {money_words(what.missing, currency, 'zh')}，{gets}"
    return gets


def _en(rule: CouponRule, what: Worth, currency: str) -> str:
    gets = _gets_en(rule, what, currency)
    if what.missing:
        return f"{digits(what.missing, currency)} more and {gets}"
    return gets[0].upper() + gets[1:]


def _gets_zh(rule: CouponRule, what: Worth, currency: str) -> str:
    if rule.gift is not None:
        return f"送 {rule.name.zh}"
    if rule.percent is not None:
        paid = 100 - rule.percent
        rate = "全免" if paid == 0 else f"享 {paid / 10:g} 折"
        most = f"，最多减 {money_words(rule.most, currency, 'zh')}" if rule.most else ""
        now = f"，减 {money_words(what.off, currency, 'zh')}" if what.off else most
        return f"{rate}{now}"
    return f"立减 {money_words(what.off or rule.amount or 0, currency, 'zh')}"


def _gets_en(rule: CouponRule, what: Worth, currency: str) -> str:
    if rule.gift is not None:
        return f"a gift: {rule.name.en}"
    if rule.percent is not None:
        most = f", up to {digits(rule.most, currency)}" if rule.most else ""
        now = f": {digits(what.off, currency)} off" if what.off else most
        return f"{rule.percent}% off{now}"
    return f"{digits(what.off or rule.amount or 0, currency)} off"
