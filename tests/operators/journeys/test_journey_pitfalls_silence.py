"""Pitfalls S: figures, silence, backfill and what comes late; the list is in pitfall_shop.py."""

from __future__ import annotations

from typing import Any

import pytest
from journey_driver import SEND, Shop, chain_of, instant, journey
from pitfall_shop import ON_PURCHASE, VIP, WINBACK, shop

from operators.members.facts import Consent, Fact, Purchase
from schemas.instants import DAY_US


def test_s1_redelivery() -> None:
    """The same purchase twice around a restart lets in once."""
    world = shop(journey("j", ON_PURCHASE, SEND, reenter="always"))
    world.buy("2026-06-01 12:00", receipt="1", id="a")
    world.until("2026-06-01 12:01")
    world.restart()
    world.buy("2026-06-01 12:00", receipt="1", id="a", known="2026-06-01 12:02")
    world.until("2026-06-02 12:00")
    assert (world.entries(), len(world.sent())) == (1, 1)


def test_s2_late_duplicate_under_a_new_id() -> None:
    world = shop(journey("j", ON_PURCHASE, SEND, reenter="always"))
    world.buy("2026-06-01 12:00", receipt="1", id="a")
    world.buy("2026-06-01 12:00", receipt="1", id="b", known="2026-06-02 13:00")
    world.until("2026-06-03 12:00")
    assert len(world.sent()) == 1


def test_s8_tier_crossing_with_refund() -> None:
    """550, back to 450, up to 510: one VIP, one gift, nothing taken away at once."""
    world = shop(VIP)
    world.buy("2026-03-01 12:00", 300)
    world.buy("2026-03-02 12:00", 250, receipt="b")
    world.until("2026-03-02 12:01")
    assert world.replay.tags("m") == {"tier": "VIP"}
    world.give_back("2026-03-03 12:00", "b", 100)
    world.until("2026-03-03 13:00")
    assert world.replay.tags("m") == {"tier": "VIP"}
    world.buy("2026-03-04 12:00", 60)
    world.until("2026-05-01 12:00")
    assert (world.entries(), world.gifts()) == (1, ["gift"])


@pytest.mark.parametrize("day", range(8, 12))
def test_a_refund_after_500_spent_gives_the_gift_once(day: int) -> None:
    """However the refund and the next purchase lie around the end of the wait."""
    world = shop(VIP)
    world.buy("2026-03-01 12:00", 600, receipt="a")
    world.give_back(f"2026-03-{day:02d} 11:59", "a", 600)
    world.buy("2026-03-20 12:00", 700)
    world.until("2026-06-01 12:00")
    assert len(world.gifts()) == (0 if day == 8 else 1)
    assert world.entries() == 1


def test_s9_time_alone() -> None:
    """No event in the whole system: the silence ends at its second."""
    world = shop(journey("j", "{no_purchase_for: 30d}", SEND))
    world.buy("2026-06-01 12:34")
    world.until("2026-08-01 00:00")
    assert world.sent() == ["2026-07-01 12:34"]
    (one,) = world.decided("go")
    assert one.decided_at == instant("2026-06-01 12:34") + 30 * DAY_US


@pytest.mark.parametrize(
    ("count", "wanted"), [("exact", "2026-12-01 23:50"), ("calendar", "2026-12-02 00:00")]
)
def test_s11_thirty_days(count: str, wanted: str) -> None:
    """Both ways of counting days have one instant each."""
    text = journey("j", "{no_purchase_for: 30d}", SEND)
    world = Shop(text, chain=chain_of({"day_count": count}, quiet_hours=None))
    world.allow("2026-10-01 00:00")
    world.buy("2026-11-01 23:50")
    world.until("2026-12-10 00:00")
    assert world.sent() == [wanted]


def test_s14_thresholds_are_nobodys_deed() -> None:
    """New thresholds move members between segments, and let nobody in."""
    text = journey("j", "{segment_enters: [重要发展, High value]}", SEND)
    world = shop(text)
    world.buy("2026-06-01 12:00", 300)
    world.thresholds("2026-06-02 12:00", 2, 20_000)
    world.until("2026-06-03 12:00")
    assert world.sent() == []
    world.buy("2026-06-03 13:00", 1, "other")
    world.allow("2026-06-03 13:00", member="other")
    world.buy("2026-06-04 13:00", 400, "other")
    world.until("2026-06-05 12:00")
    assert world.sent() == ["2026-06-04 13:00"]


def test_s16_going_to_and_fro() -> None:
    """A figure that crosses its level every day lets in once in the time of `once_per`."""
    text = journey("j", "{crosses: {field: spent, above: 100}}", SEND, reenter="{once_per: 7d}")
    world = shop(text)
    for day in range(1, 8):
        world.buy(f"2026-06-{day:02d} 10:00", 100, receipt=f"r{day}")
        world.give_back(f"2026-06-{day:02d} 20:00", f"r{day}", 100)
    world.until("2026-06-08 09:00")
    assert len(world.sent()) == 1
    world.buy("2026-06-08 10:00", 100)
    world.until("2026-06-09 09:00")
    assert len(world.sent()) == 2


@pytest.mark.parametrize("origin", ["backfill", "live"])
def test_s22_twelve_months_of_backfill_send_nothing(origin: str) -> None:
    """Told as a backfill, or only as old as one: figures as ever, and no message, no gift."""
    schedule = journey("s", "{schedule: every day 10:00}", SEND)
    texts = (WINBACK, VIP, schedule, journey("j", ON_PURCHASE, SEND, reenter="always"))
    world = Shop(*texts, chain=chain_of(quiet_hours=None))
    facts: list[Fact] = []
    for day in range(360):
        head: Any = {"time": instant("2026-01-01 12:00") + day * DAY_US, "source": "s"}
        head |= {"id": f"b{day}", "origin": origin, "member": f"m{day % 7}"}
        said: Any = {"purpose": "marketing", "channel": "any", "status": "granted"}
        facts.append(Purchase(**head, receipt=day, amount=3_000, currency="CNY"))
        facts.append(Consent(**head, **said, text=None, evidence=None))
    world.backfill(facts, "2026-12-31 09:00")
    world.until("2026-12-31 09:30")
    assert world.replay.refused == 0
    assert world.replay.decisions == []
    assert world.entries() == 0
    # From now on it is as if it had always run.
    world.until("2027-02-10 12:00")
    assert len(world.sent("winback")) == 7
    assert len(world.sent("s")) == 7 * 42
    assert world.gifts() == []


def test_s22_enrol_current_and_future() -> None:
    """Who is VIP already gets the gift only if the journey says so."""
    for enrol, gifts in (("future_only", []), ("current_and_future", ["gift"])):
        world = shop()
        world.buy("2026-03-01 12:00", 800, origin="backfill")
        world.until("2026-03-02 12:00")
        world.publish(VIP + f"\nenrol: {enrol}")
        world.buy("2026-03-03 12:00", 20)
        world.until("2026-04-01 12:00")
        assert world.gifts() == gifts


def test_s23_the_age_of_a_trigger() -> None:
    """A till that was offline for three days: the figures count, the journey may not."""
    old = journey("old", ON_PURCHASE, SEND, limits="{max_event_age: 7d}")
    fresh = journey("fresh", ON_PURCHASE, SEND, limits="{max_event_age: 2h}")
    world = shop(old, fresh)
    world.buy("2026-06-01 12:00", known="2026-06-04 12:00")
    world.until("2026-06-05 12:00")
    assert (world.sent("old"), world.sent("fresh")) == (["2026-06-04 12:00"], [])
    assert world.replay.turned()["fresh"].stale == 1


@pytest.mark.parametrize(("known", "messages"), [("08:59", 0), ("09:01", 1)])
def test_s24_late_purchase_and_win_back(known: str, messages: int) -> None:
    """Known in time it stops the message; known too late it is a regret, and ends the journey."""
    text = journey(
        "winback", "{no_purchase_for: 30d}", "wait: until 09:00", SEND, "wait: 5d", SEND,
        exit_when="[purchase]", reenter="always",
    )  # fmt: skip
    world = shop(text)
    world.buy("2026-06-01 12:00")
    world.until("2026-07-01 13:00")
    world.buy("2026-06-30 12:00", known=f"2026-07-02 {known}")
    world.until("2026-08-01 00:00")
    # One more is of the silence after 30 June.
    assert len(world.sent()) == messages + 1
    first = world.where("winback")[0]
    assert (first.reason, first.regret) == ("purchase", bool(messages))
