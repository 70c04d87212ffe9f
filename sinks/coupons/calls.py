"""The calls of the desk: publish, issue, reserve, redeem, release, roll back, look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from operators.coupons.valid import end_of_day, extended, window
from schemas.coupons import CouponBook, CouponRule
from sinks.coupons.errors import InvalidCall, UnknownCampaign
from sinks.coupons.model import Coupon, Look
from sinks.coupons.protocol import MAX_NAME, Owner, Protocol, check_name, digest, fingerprint
from sinks.coupons.settings import MAX_TTL_SECONDS
from sinks.redis.keeper_calls import send
from sinks.redis.scripted import Steps

# One call blocks the server: so many coupons a look.
COUPONS_A_LOOK = 200
_coupon = msgspec.json.Decoder(Coupon)
_look = msgspec.json.Decoder(Look)
_pair = msgspec.json.Decoder(tuple[str, str])
_rule = msgspec.json.Decoder(CouponRule)
_book = msgspec.json.Decoder(CouponBook)


class Peeked(msgspec.Struct):
    """A coupon's record, as far as a price needs it; `at` is the server's time."""

    campaign: str
    member: str
    state: str
    order: str
    ends: int
    at: int = 0

    def is_of(self, order: str) -> bool:
        """Whether an order has it reserved, or has redeemed it."""
        return self.order == order and (
            self.state == "redeemed" or (self.state == "reserved" and self.ends > self.at)
        )


_peeked = msgspec.json.Decoder(Peeked)


class Published(msgspec.Struct):
    """The campaigns that a desk knows, those of former files too."""

    version: int
    currency: str
    zone: ZoneInfo
    rules: dict[str, CouponRule]

    def rule(self, campaign: str) -> CouponRule:
        """The rule of a campaign.

        Raises:
            UnknownCampaign: there is none.
        """
        found = self.rules.get(campaign)
        if found is None:
            msg = f"no campaign {campaign!r} is published: `tillflow coupon publish` its file"
            raise UnknownCampaign(msg)
        return found


def publish(desk: Protocol, book: CouponBook) -> Steps[None]:
    """Make a file known; see `CouponDesk.publish`."""
    rows = [
        {
            "id": rule.id,
            "body": msgspec.json.encode(rule).decode(),
            "terms": fingerprint(rule.terms.decode(), book.currency, book.timezone),
            "issued": rule.budget.issued or "",
            "redeemed": rule.budget.redeemed or "",
            "money": rule.budget.money or "",
            "per_member": rule.per_member,
            "stopped": rule.stopped or "",
            "transferable": int(rule.transferable),
            "stacking": rule.stacking,
        }
        for rule in book.coupons
    ]
    keys = [desk.keys.rule(rule.id)[0] for rule in book.coupons]
    payload = {"version": book.version, "book": msgspec.json.encode(book).decode(), "rows": rows}
    yield from desk.call("publish", keys, payload)


def published(desk: Protocol) -> Steps[Published]:
    """What is published."""
    (body, bodies) = yield from send(("HGET", desk.keys.state, "book"), ("HVALS", desk.keys.rules))
    if body is None:
        return Published(0, "CNY", ZoneInfo("UTC"), {})
    book = _book.decode(body)
    rules = [_rule.decode(each) for each in bodies]
    return Published(
        book.version, book.currency, ZoneInfo(book.timezone), {rule.id: rule for rule in rules}
    )


def issue(
    desk: Protocol,
    known: Published,
    coupon: str,
    campaign: str,
    member: str,
    message: str | None,
    experiment: str | None,
    arm: str | None,
    ends: int | None,
    not_after: int | None,
) -> Steps[Coupon]:
    """Give a coupon to a member; see `CouponDesk.issuing`."""
    check_name("coupon", coupon)
    check_name("member", member)
    rule = known.rule(campaign)
    now = yield from time_of()
    valid_from, valid_to = window(rule, now, known.zone)
    if ends is not None:
        valid_to = min(valid_to, end_of_day(ends, known.zone))
    said = {"message": message or "", "experiment": experiment or "", "arm": arm or ""}
    payload: dict[str, Any] = {
        "coupon": coupon,
        "campaign": campaign,
        "member": member,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "not_after": not_after or 0,
        "who": digest(member),
        "fingerprint": fingerprint("issue", campaign, member, said),
        "kept": desk.kept,
        **said,
    }
    keys = desk.keys.one(coupon, campaign, member, "")
    made = _coupon.decode((yield from desk.call("issue", keys, payload)))
    desk.owners.keep(coupon, Owner(campaign, member))
    return made


def reserve(
    desk: Protocol,
    coupon: str,
    *,
    call: str,
    order: str,
    store: str,
    amount: int,
    basket: int,
    ttl_seconds: float,
    buyer: str,
) -> Steps[Coupon]:
    """Keep a coupon and its budget for an order, for a time; see `CouponDesk.reserving`."""
    ttl = round(ttl_seconds * 1000)
    if not 1 <= ttl <= MAX_TTL_SECONDS * 1000:
        msg = f"ttl_seconds is {ttl_seconds}: from 0.001 to {MAX_TTL_SECONDS}"
        raise InvalidCall(msg)
    content = (order, store, amount, basket, ttl, buyer)
    payload = _call("reserve", call, order, content) | {
        "store": store,
        "amount": amount,
        "basket": basket,
        "ttl": ttl,
        "buyer": buyer,
        "who": digest(buyer),
    }
    return _coupon.decode((yield from desk.about("reserve", coupon, payload)))


def redeem(
    desk: Protocol,
    coupon: str,
    *,
    call: str,
    order: str,
    store: str,
    amount: int | None,
    basket: int,
    occurred_at: int,
    offline_hours: int,
    buyer: str,
) -> Steps[Coupon]:
    """Use a coupon up; see `CouponDesk.redeeming`."""
    content = (order, store, amount, basket, occurred_at, buyer)
    payload = _call("redeem", call, order, content) | {
        "store": store,
        "amount": -1 if amount is None else amount,
        "basket": basket,
        "at": occurred_at,
        "offline": offline_hours * 3_600_000,
        "buyer": buyer,
        "who": digest(buyer),
    }
    return _coupon.decode((yield from desk.about("redeem", coupon, payload)))


def release(desk: Protocol, coupon: str, *, call: str, order: str) -> Steps[Coupon]:
    """Give a reservation back; see `CouponDesk.releasing`."""
    payload = _call("release", call, order, (order,))
    return _coupon.decode((yield from desk.about("release", coupon, payload)))


def rollback(
    desk: Protocol, known: Published, coupon: str, *, order: str, refund: str, returned: int
) -> Steps[Coupon]:
    """Take a redemption back; see `CouponDesk.rolling_back`."""
    check_name("refund", refund)
    found = yield from peek(desk, coupon)
    rule = known.rule(found.campaign)
    grace_to = extended(0, found.at, rule.returned.grace_days, known.zone)
    payload = _call("rollback", refund, order, (order, refund, returned)) | {
        "refund": refund,
        "returned": returned,
        "restore": rule.returned.restore,
        "grace_to": grace_to,
    }
    return _coupon.decode((yield from desk.about("rollback", coupon, payload)))


def read(desk: Protocol, coupon: str) -> Steps[Coupon]:
    """The coupon as it is now.

    Raises:
        UnknownCoupon: there is none.
    """
    check_name("coupon", coupon)
    found = yield from look(desk, [coupon], [])
    if not found.coupons:
        raise desk.unknown()
    desk.owners.keep(coupon, Owner(found.coupons[0].campaign, found.coupons[0].member))
    return found.coupons[0]


def peek(desk: Protocol, coupon: str) -> Steps[Peeked]:
    """Just enough of a coupon to price it, without a script.

    Raises:
        UnknownCoupon: there is none.
    """
    check_name("coupon", coupon)
    body, (seconds, micros) = yield from send(("GET", desk.keys.coupon(coupon)), ("TIME",))
    if body is None:
        # A closed desk says so, an open one that it knows no such coupon.
        return (yield from _unknown(desk, coupon))
    found = _peeked.decode(body)
    found.at = int(seconds) * 1000 + int(micros) // 1000
    desk.owners.keep(coupon, Owner(found.campaign, found.member))
    return found


def _unknown(desk: Protocol, coupon: str) -> Steps[Peeked]:
    yield from release(desk, coupon, call="-", order="-")
    raise desk.unknown()


def look(desk: Protocol, coupons: Sequence[str], campaigns: Sequence[str]) -> Steps[Look]:
    """Coupons and campaigns at one moment."""
    keys = [desk.keys.coupon(coupon) for coupon in coupons]
    keys += [key for campaign in campaigns for key in desk.keys.rule(campaign)]
    payload = {"coupons": list(coupons), "campaigns": list(campaigns)}
    return _look.decode((yield from desk.call("look", keys, payload)))


def of_member(desk: Protocol, member: str) -> Steps[Look]:
    """The coupons of a member that are not redeemed, and their campaigns.

    At most `COUPONS_A_LOOK`; those that end last, for what has ended may wait to be tidied.
    """
    check_name("member", member)
    key = desk.keys.member(member)
    (found,) = yield from send(("ZREVRANGE", key, 0, COUPONS_A_LOOK - 1))
    pairs = [_pair.decode(each) for each in found]
    campaigns = list(dict.fromkeys(campaign for _, campaign in pairs))
    return (yield from look(desk, [coupon for coupon, _ in pairs], campaigns))


def time_of() -> Steps[int]:
    """The server's time, in ms."""
    ((seconds, micros),) = yield from send(("TIME",))
    return int(seconds) * 1000 + int(micros) // 1000


def _call(verb: str, call: str, order: str, content: tuple[object, ...]) -> dict[str, Any]:
    check_name("id", call)
    check_name("order", order)
    if len(str(content)) > 8 * MAX_NAME:
        msg = "order, store and member are names of 1 to 200 characters"
        raise InvalidCall(msg)
    return {"call": call, "order": order, "fingerprint": fingerprint(verb, content)}
