"""Pitfalls M15-M24: runs, consents, versions and waits; the list is in pitfall_shop.py."""

from __future__ import annotations

import pytest
from journey_driver import SEND, Shop, chain_of, instant, journey
from pitfall_shop import ON_PURCHASE, shop

from operators.journeys.compile import read_journey
from operators.journeys.lint import lint
from schemas.journey_rules import Cap


def test_m15_conservation() -> None:
    """At every instant: who came in has left, with a reason, or still waits."""
    text = journey(
        "j", ON_PURCHASE, "wait: 1d", SEND, "wait: 1d", "give: g",
        reenter="always", exit_when="[refund, {visits: '>=3'}]",
    )  # fmt: skip
    world = shop(text, caps=(Cap(1, 3),))
    for day in range(1, 20):
        world.buy(f"2026-06-{day:02d} 10:00", member=f"m{day % 4}", receipt=f"r{day}")
        if day % 5 == 0:
            world.give_back(f"2026-06-{day:02d} 11:00", f"r{day}", 100, member=f"m{day % 4}")
        world.until(f"2026-06-{day:02d} 12:00")
        runs = world.where()
        waiting = [one for one in runs if one.status == "waiting"]
        inside = sum(len(one.runs) for one in world.replay.shards[0].desk.members.values())
        assert len(waiting) == inside
        assert len(waiting) + sum(bool(one.reason) for one in runs) == world.entries()
        entered = world.replay.shards[0].desk.members.values()
        assert world.entries() == sum(
            times.times for one in entered for times in one.entered.values()
        )


def test_m16_opt_out_while_queued() -> None:
    """Not sent; and who refuses one purpose is still told of the others."""
    ads = journey("ads", ON_PURCHASE, "wait: 1d", SEND)
    news = journey("news", ON_PURCHASE, "wait: 1d", SEND.replace("marketing", "service"))
    world = shop(ads, news)
    world.buy("2026-06-01 12:00")
    world.allow("2026-06-01 18:00", status="withdrawn")
    world.until("2026-06-05 00:00")
    assert (world.sent("ads"), world.held("ads")) == ([], ["consent"])
    assert len(world.sent("news")) == 1


def test_m17_unknown_consent() -> None:
    """Who never said anything gets no marketing, and gets what it is served with."""
    ads = journey("ads", ON_PURCHASE, SEND)
    news = journey("news", ON_PURCHASE, SEND.replace("marketing", "service"))
    world = Shop(ads, news, chain=chain_of(quiet_hours=None))
    world.buy("2026-06-01 12:00")
    world.until("2026-06-02 00:00")
    assert (world.held("ads"), len(world.sent("news"))) == (["consent"], 1)


@pytest.mark.parametrize("text", [SEND, SEND.replace("marketing", "service")])
def test_m19_coupons_on_a_template_message(text: str) -> None:
    """Refused when the file is checked, not when it is sent."""
    chain = chain_of()
    step = text.replace("sms", "wechat_template")
    read = read_journey(journey("j", ON_PURCHASE, "give: c280-50", step), "j.yaml", chain)
    lint([read], chain)
    codes = {one.code for one in read.source.findings if one.level == "error"}
    assert codes == {"class_of_channel" if "marketing" in text else "offer_on_channel"}


def test_m20_channels_in_order_of_those_allowed() -> None:
    """One decision names the channels that may be tried, in order; one message in all."""
    text = journey("j", ON_PURCHASE, SEND.replace("sms", "wechat_subscription, mini_program, sms"))
    world = Shop(text, chain=chain_of(quiet_hours=None))
    world.allow("2026-05-01 00:00", "marketing/sms")
    world.allow("2026-05-01 00:00", "marketing/mini_program")
    world.buy("2026-06-01 12:00")
    world.until("2026-06-02 00:00")
    (one,) = world.decided("go")
    assert one.channels == ("mini_program", "sms")


def test_m21_three_months_of_standstill() -> None:
    """What waited meanwhile is given up, and nobody is flooded."""
    text = journey("j", ON_PURCHASE, "wait: 2d", SEND)
    world = shop(text)
    for number in range(50):
        world.allow("2026-06-01 00:00", member=f"m{number}")
        world.buy("2026-06-01 12:00", member=f"m{number}")
    # The flow stands still: the next it is told is that it is September.
    for shard in world.replay.shards.values():
        world.replay._keep(shard.tick(instant("2026-09-01 12:00")))
    assert (world.sent(), world.left()) == ([], ["expired"] * 50)


def test_m22_edited_while_members_are_in_it() -> None:
    """They finish the version they came into, others come into the new one."""
    first = journey("j", ON_PURCHASE, "wait: 5d", "give: old", reenter="always")
    world = shop(first)
    world.buy("2026-06-01 12:00", member="a")
    world.until("2026-06-02 12:00")
    world.publish(journey("j", ON_PURCHASE, "give: new", reenter="always"))
    world.restart()
    world.buy("2026-06-03 12:00", member="b")
    world.until("2026-06-10 12:00")
    assert sorted((one.member, one.gift) for one in world.decided("go")) == [
        ("a", "old"),
        ("b", "new"),
    ]
    world.publish()
    world.buy("2026-06-11 12:00", member="c")
    world.until("2026-06-20 12:00")
    assert len(world.gifts()) == 2


def test_m23_a_trigger_and_its_test() -> None:
    """The second purchase is seen as the second one."""
    world = shop(journey("j", ON_PURCHASE, SEND, who="{visits: '>=2'}"))
    world.buy("2026-06-01 12:00")
    world.buy("2026-06-02 12:00")
    world.until("2026-06-03 12:00")
    assert world.sent() == ["2026-06-02 12:00"]


def test_m24_purchase_and_timeout_at_one_instant() -> None:
    """The purchase is in time, once."""
    text = journey(
        "j", "{event: registered}",
        "{wait: {event: purchase, timeout: 1d}, then: [give: yes-gift], else: [give: no-gift]}",
    )  # fmt: skip
    for clock, gift in (("12:00", "yes-gift"), ("12:01", "no-gift")):
        world = shop(text)
        world.join("2026-06-01 12:00")
        world.buy(f"2026-06-02 {clock}")
        world.until("2026-06-05 12:00")
        assert world.gifts() == [gift]


def test_another_text_does_not_lose_who_is_about_to_come_in() -> None:
    """A new version of the same trigger goes on with the waits for it."""
    world = shop(journey("j", "{no_purchase_for: 10d}", "give: old"))
    world.buy("2026-06-01 12:00")
    world.until("2026-06-11 11:59")
    world.publish(journey("j", "{no_purchase_for: 10d}", "give: new"))
    world.until("2026-06-12 12:00")
    assert world.gifts() == ["new"]
