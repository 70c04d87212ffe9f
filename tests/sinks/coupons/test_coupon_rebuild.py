"""A desk that lost its data, written again from what it had told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from coupon_desks import SettableDeskClock, basket, book, campaign_of, lose

from operators.coupons.life import Lives
from sinks.coupons import rebuild
from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import Mismatch, NotPublished, Refused

NAMES = ("k0", "k1", "k2", "k3", "k4")


def lived(desk: CouponDesk, clock: SettableDeskClock) -> None:
    """One coupon in every state."""
    here = basket(29_000)
    for number, name in enumerate(NAMES):
        desk.run(desk.issuing(name, "c280-50", f"m{number % 2}", message="msg"))
    for name in ("k0", "k1"):
        desk.run(desk.redeeming(name, call="d", order=f"o-{name}", basket=here))
    desk.run(desk.rolling_back("k1", order="o-k1", refund="r"))
    desk.run(desk.rolling_back("k0", order="o-k0", refund="r", returned=100))
    desk.run(desk.reserving("k2", here, call="r", order="o-k2", ttl_seconds=60))
    desk.run(desk.reserving("k3", here, call="r", order="o-k3", ttl_seconds=1))
    clock.advance(desk, 2000)


def seen(desk: CouponDesk) -> Any:
    look = desk.look(NAMES, ["c280-50"])
    held = [msgspec.to_builtins(each) for each in look.coupons]
    for each in held:
        if each["state"] not in {"reserved", "redeemed"}:
            # What is left of an order that is over.
            for name in ("order", "store", "amount", "basket", "ends", "returned"):
                del each[name]
    offered = [
        (each.coupon, each.reason)
        for member in ("m0", "m1")
        for found in [desk.run(desk.offering(member, basket(29_000)))]
        for each in [*found.usable, *found.others]
    ]
    return held, look.campaigns, offered


def test_the_desk_is_as_it_was(clock: SettableDeskClock) -> None:
    with clock.desk() as desk:
        lived(desk, clock)
        before = seen(desk)
        first = {
            name: desk.run(desk.rolling_back(name, order=f"o-{name}", refund="r", returned=part))
            for name, part in (("k0", 100), ("k1", 0))
        }
        lives = Lives()
        for entry in desk.outbox(count=1000):
            assert lives.follow(entry.what, entry.event)
        with pytest.raises(NotPublished, match="open"):
            desk.run(rebuild.restore(desk.protocol, "me", lives.coupons.values()))

        lose(desk)
        desk.publish(book())
        desk.run(rebuild.begin(desk.protocol, "me"))
        for expected in (len(NAMES), 0):  # a piece that is sent twice writes the same
            asked = rebuild.restore(desk.protocol, "me", lives.coupons.values())
            assert desk.run(asked) == expected
        # Not all was lost: what is there is of no use then, and goes first.
        desk.run(rebuild.clear(desk.protocol, "me"))
        assert campaign_of(desk, "c280-50").issued == 0
        desk.run(rebuild.begin(desk.protocol, "another"))
        with pytest.raises(NotPublished, match="somebody else"):
            desk.run(rebuild.clear(desk.protocol, "me"))
        desk.run(rebuild.restore(desk.protocol, "another", lives.coupons.values()))
        desk.run(rebuild.reopen(desk.protocol, "another", "two"))

        assert seen(desk) == before
        assert desk.run(desk.issuing("k4", "c280-50", "m0", message="msg")).replayed
        with pytest.raises(Mismatch):
            desk.run(desk.issuing("k4", "c280-50", "m1", message="msg"))
        again = desk.redeeming("k0", call="d", order="o-k0", basket=basket(29_000))
        assert desk.run(again).replayed
        with pytest.raises(Refused, match="another order"):
            desk.run(desk.redeeming("k0", call="e", order="x", basket=basket(29_000)))
        # What was paid back is not paid back again.
        for name, returned in (("k0", 100), ("k1", 0)):
            order = f"o-{name}"
            asked_again = desk.rolling_back(name, order=order, refund="r", returned=returned)
            twice, paid = desk.run(asked_again)
            told, paid_first = first[name]
            assert paid == paid_first > 0
            assert twice == msgspec.structs.replace(told, at=twice.at)
            with pytest.raises(Mismatch):
                desk.run(desk.rolling_back(name, order="other", refund="r"))
        rest, _ = desk.run(desk.rolling_back("k0", order="o-k0", refund="r2"))
        assert (rest.state, rest.returned_now) == ("rolled_back", 28_900)
        desk.run(desk.redeeming("k2", call="d", order="o-k2"))
        assert campaign_of(desk, "c280-50").redeemed == 1


def test_what_came_before_may_be_gone_from_the_log(clock: SettableDeskClock) -> None:
    with clock.desk() as desk:
        lived(desk, clock)
        entries = desk.outbox(count=1000)
        whole, rest = Lives(), Lives()
        for entry in entries:
            whole.take(entry.what, entry.event)
        followed = [rest.follow(entry.what, entry.event) for entry in entries[5:]]
        assert followed.count(False) == 4  # one a coupon that the rest tells of
        for name, life in rest.coupons.items():
            assert life.at(clock.now) == whole.coupons[name].at(clock.now)
