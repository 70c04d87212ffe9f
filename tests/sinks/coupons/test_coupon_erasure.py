"""An erased member: no name is left at the desk, budgets stay as they were, tills go on."""

from __future__ import annotations

from typing import Any

import pytest
from coupon_desks import COUPONS as TEXT
from coupon_desks import SettableDeskClock, basket, book, campaign_of, lose

from operators.coupons.life import Lives
from sinks.coupons import erasing, keeping, rebuild
from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import Refused
from sinks.coupons.protocol import digest

WHO = "anna-4711"
COUPONS = ("fresh", "used", "part", "back", "held", "lapsed", "over", "hers")


def lived(desk: CouponDesk, clock: SettableDeskClock) -> None:
    """A coupon in every state, and one of somebody else's that she has used."""
    here = basket(29_000)
    desk.publish(book_of(50))
    for name in COUPONS[:-2]:
        desk.run(desk.issuing(name, "c280-50", WHO, message="msg"))
    desk.run(desk.issuing("over", "cup", WHO))
    desk.run(desk.issuing("hers", "tea-20", "ben"))
    for name in ("used", "part", "back"):
        desk.run(desk.redeeming(name, call=f"d{name}", order=f"o-{name}", basket=here))
    desk.run(desk.rolling_back("back", order="o-back", refund="r"))
    desk.run(desk.rolling_back("part", order="o-part", refund="r", returned=100))
    desk.run(desk.reserving("held", here, call="r", order="o-held", ttl_seconds=600, buyer=WHO))
    desk.run(desk.reserving("lapsed", here, call="r", order="o-lapsed", ttl_seconds=1))
    tea = basket(10_000, category="tea")
    desk.run(desk.redeeming("hers", call="d", order="o-hers", basket=tea, buyer=WHO))
    clock.advance(desk, 2_000)


def book_of(per_member: int) -> Any:
    text = TEXT.replace("version: 1", "version: 2")
    return book(text.replace("per_member: 3", f"per_member: {per_member}"))


def anywhere(desk: CouponDesk, word: str) -> list[str]:
    """Keys of the desk in which a word stands, in their names or in what they hold."""
    found = []
    for key in desk._execute("KEYS", "*"):
        if not key.startswith(desk.protocol.keys.tag.encode()):
            continue
        kind = desk._execute("TYPE", key)
        ask = {
            b"string": ("GET", key),
            b"hash": ("HGETALL", key),
            b"zset": ("ZRANGE", key, 0, -1),
            b"stream": ("XRANGE", key, "-", "+"),
        }[kind]
        if word in key.decode() or word in str(desk._execute(*ask)):
            found.append(key.decode())
    return found


def used(desk: CouponDesk) -> list[tuple[int, int, int]]:
    names = ("c280-50", "cup", "tea-20")
    return [(c.issued, c.redeemed, c.money) for c in (campaign_of(desk, name) for name in names)]


def relayed(desk: CouponDesk) -> Any:
    """All that was told so far; it is forgotten at the desk."""
    entries = desk.outbox(count=1000)
    if entries:
        desk.trim(entries[-1].id)
    return entries


def test_no_name_is_left_and_budgets_are_as_they_were(clock: SettableDeskClock) -> None:
    with clock.desk() as desk:
        lived(desk, clock)
        relayed(desk)
        before = used(desk)
        assert len(anywhere(desk, WHO)) > 8
        assert desk.run(erasing.erase(desk.protocol, [WHO])) == len(COUPONS)
        told = relayed(desk)
        assert anywhere(desk, WHO) == []
        assert used(desk) == before
        assert campaign_of(desk, "c280-50").reserved == 0
        assert sorted(each.event.coupon for each in told) == [
            "back", "fresh", "held", "lapsed", "over",
        ]  # fmt: skip
        assert {(each.what, each.event.member) for each in told} == {("expired", "erased")}
        # Twice is once.
        assert desk.run(erasing.erase(desk.protocol, [WHO])) == 0
        assert relayed(desk) == []
        assert used(desk) == before
        assert desk.read("hers").member == "ben"
        assert desk.run(erasing.waiting(desk.protocol, [WHO, "ben"])) == ["ben"]


def test_tills_go_on_and_nothing_that_comes_later_names_her(clock: SettableDeskClock) -> None:
    with clock.desk() as desk:
        lived(desk, clock)
        relayed(desk)
        here = basket(29_000)
        first = desk.run(desk.redeeming("used", call="dused", order="o-used", basket=here))
        desk.run(erasing.erase(desk.protocol, [WHO]))
        for name in ("fresh", "held", "back"):
            with pytest.raises(Refused, match="expired"):
                desk.run(desk.redeeming(name, call="x", order=f"o-{name}", basket=here))
        with pytest.raises(Refused, match="another order"):
            desk.run(desk.redeeming("used", call="y", order="other", basket=here))
        again = desk.run(desk.redeeming("used", call="dused", order="o-used", basket=here))
        assert again.replayed
        assert (again.amount, again.member) == (first.amount, "erased")
        # Goods that come back give the budget back, and her no coupon.
        redeemed = campaign_of(desk, "c280-50").redeemed
        desk.run(desk.rolling_back("used", order="o-used", refund="r9"))
        made, _ = desk.run(desk.rolling_back("part", order="o-part", refund="r", returned=100))
        assert made.replayed
        assert campaign_of(desk, "c280-50").redeemed == redeemed - 1
        assert desk.run(desk.offering("erased", here)).usable == []
        with pytest.raises(Refused, match="erased"):
            desk.run(desk.issuing("new", "tea-20", WHO))
        # A till that still knows her id may take it.
        desk.run(desk.issuing("another", "tea-20", "cleo"))
        tea = basket(10_000, category="tea")
        made = desk.run(desk.redeeming("another", call="d", order="o9", basket=tea, buyer=WHO))
        assert made.by == "erased"
        clock.advance(desk, 90 * 86_400_000)
        desk.sweep()
        told = relayed(desk)
        assert "rolled_back" in {each.what for each in told}
        assert WHO not in str(told)


def test_a_desk_written_anew_does_not_bring_her_back(clock: SettableDeskClock) -> None:
    """From a log on which her coupons are as they were told, and that she was erased."""
    with clock.desk() as desk:
        lived(desk, clock)
        log = relayed(desk)
        desk.run(erasing.erase(desk.protocol, [WHO]))
        log_after = relayed(desk)
        counted = used(desk)
        look = desk.look(COUPONS, ["c280-50", "cup", "tea-20"])
        for entries in (log, log + log_after):
            lives = Lives()
            for entry in entries:
                assert lives.follow(entry.what, entry.event)
            lives.erase({WHO}, clock.now)
            assert WHO not in str(lives.coupons)
            lose(desk)
            desk.publish(book_of(50))
            desk.run(rebuild.begin(desk.protocol, "me"))
            desk.run(rebuild.clear(desk.protocol, "me"))
            desk.run(rebuild.restore(desk.protocol, "me", lives.coupons.values()))
            desk.run(erasing.mark(desk.protocol, [WHO]))
            desk.run(rebuild.reopen(desk.protocol, "me", "two"))
            assert anywhere(desk, WHO) == []
            assert used(desk) == counted
            again = desk.look(COUPONS, ["c280-50", "cup", "tea-20"])
            assert again.campaigns == look.campaigns
            told = [(each.coupon, each.state, each.member, each.by) for each in again.coupons]
            assert told == [(one.coupon, one.state, one.member, one.by) for one in look.coupons]
            with pytest.raises(Refused, match="erased"):
                desk.run(desk.issuing("new", "tea-20", WHO))
            assert desk.run(erasing.erase(desk.protocol, [WHO])) == 0
            assert desk.run(keeping.desk_state(desk.protocol)).state == "open"


def test_pages_find_every_one_of_many(clock: SettableDeskClock) -> None:
    with clock.desk(book_of(50)) as desk:
        for number in range(1_300):
            who = WHO if number % 100 == 0 else f"m{number}"
            desk.run(desk.issuing(f"k{number}", "tea-20" if number % 2 else "c280-50", who))
        relayed(desk)
        desk.run(erasing.mark(desk.protocol, [WHO]))
        cursor, erased, pages = erasing.FIRST_PAGE, 0, 0
        while pages == 0 or cursor != erasing.FIRST_PAGE:
            cursor, more = desk.run(erasing.page(desk.protocol, {WHO}, cursor))
            erased, pages = erased + more, pages + 1
        assert (erased, pages > 1) == (13, True)
        desk.run(erasing.done(desk.protocol, [WHO]))
        relayed(desk)
        assert anywhere(desk, WHO) == []
        assert anywhere(desk, digest(WHO)) == [desk.protocol.keys.state]
