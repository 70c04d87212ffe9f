"""Pitfalls M5-M14: caps, quiet hours, zones and clocks; the list is in pitfall_shop.py."""

from __future__ import annotations

from itertools import pairwise

import pytest
from journey_driver import SEND, SHANGHAI, Shop, chain_of, instant, journey, local
from pitfall_shop import ON_PURCHASE, shop

from schemas.chain import Chain, Place
from schemas.instants import HOUR_US
from schemas.journey_rules import Cap


def test_m5_two_journeys_at_one_instant_with_a_cap_of_one() -> None:
    """One is sent, the more important one; the other is held back by the cap."""
    low = journey("low", ON_PURCHASE, SEND, limits="{priority: 10}")
    high = journey("top", ON_PURCHASE, SEND, limits="{priority: 90}")
    timed = journey("timed", "{no_purchase_for: 1d}", SEND, limits="{priority: 50}")
    for texts in ((low, high, timed), (timed, high, low)):
        world = shop(*texts, caps=(Cap(1, 7),))
        world.buy("2026-06-01 12:00")
        world.until("2026-06-03 00:00")
        assert (world.sent("top"), world.held()) == (["2026-06-01 12:00"], ["cap", "cap"])
        assert world.sent("low") == world.sent("timed") == []


@pytest.mark.parametrize(("window", "sent"), [("rolling", 1), ("calendar", 2)])
def test_m6_window_of_a_cap(window: str, sent: int) -> None:
    """23:00 and 00:10: the same 24 hours, two days."""
    text = journey("j", ON_PURCHASE, SEND, reenter="always")
    world = shop(text, caps=(Cap(1, 1, window),))  # type: ignore[arg-type]
    world.buy("2026-06-01 23:00")
    world.buy("2026-06-02 00:10")
    world.until("2026-06-03 00:00")
    assert len(world.sent()) == sent


@pytest.mark.parametrize(
    ("how", "sent", "gifts", "left"),
    [
        ("skip", ["2026-06-01 12:00"], ["g", "g"], ["done", "done"]),
        ("wait", ["2026-06-01 12:00", "2026-06-02 12:00"], ["g", "g"], ["done", "done"]),
        ("exit", ["2026-06-01 12:00"], ["g"], ["done", "cap"]),
    ],
)
def test_m7_when_there_is_no_room(
    how: str, sent: list[str], gifts: list[str], left: list[str]
) -> None:
    text = journey(
        "j", ON_PURCHASE, SEND, "give: g", reenter="always", limits=f"{{on_capped: {how}}}"
    )
    world = shop(text, caps=(Cap(1, 1),))
    world.buy("2026-06-01 12:00")
    world.buy("2026-06-01 18:00")
    world.until("2026-06-05 00:00")
    assert (world.sent(), world.gifts(), world.left()) == (sent, gifts, left)


def test_m8_quiet_hours_over_midnight() -> None:
    text = journey("j", ON_PURCHASE, SEND, reenter="always")
    wanted = {"20:59": "20:59", "21:00": "09:00", "00:00": "09:00", "08:05": "09:00",
              "09:00": "09:00"}  # fmt: skip
    for clock, goes in wanted.items():
        world = shop(text, quiet_hours="21:00-09:00")
        world.buy(f"2026-06-01 {clock}")
        world.until("2026-06-03 00:00")
        day = "2026-06-02" if clock == "21:00" else "2026-06-01"
        assert world.sent() == [f"{day} {goes}"], clock


def test_m9_judged_again_after_the_night() -> None:
    """Put off at 22:00, bought at 08:45: at 09:00 there is nothing to say any more."""
    text = journey("winback", "{no_purchase_for: 30d}", SEND, exit_when="[purchase]")
    world = shop(text, quiet_hours="21:00-09:00")
    world.buy("2026-06-01 22:00")
    world.until("2026-07-01 23:00")
    assert (world.put_off(), world.sent()) == (["quiet"], [])
    world.buy("2026-07-02 08:45")
    world.until("2026-07-03 12:00")
    assert (world.sent(), world.left()) == ([], ["purchase"])


@pytest.mark.parametrize(("zone", "clock"), [("America/New_York", "20:00"), (SHANGHAI, "07:00")])
def test_m11_weekday_in_the_members_zone(zone: str, clock: str) -> None:
    world = shop(journey("j", f"{{schedule: every Friday {clock}}}", SEND))
    world.join("2026-06-01 00:00", zone=zone)
    world.until("2026-06-22 12:00")
    assert world.sent(zone=zone)[-3:] == [f"2026-06-{day:02d} {clock}" for day in (5, 12, 19)]


@pytest.mark.parametrize(
    ("day", "clock", "goes"),
    [("2026-11-01", "01:30", "01:30"), ("2026-03-08", "02:30", "03:00")],
)
def test_m12_clock_changes(day: str, clock: str, goes: str) -> None:
    """What comes twice happens once, what is left out happens after the gap."""
    world = Shop(
        journey("j", f"{{schedule: every day {clock}}}", SEND),
        chain=chain_of(quiet_hours=None, timezone="America/New_York"),
        start=f"{day[:8]}01",
    )
    world.allow(f"{day[:8]}01 00:00")
    world.until(f"{day[:8]}15 00:00")
    sent = [one for one in world.sent(zone="America/New_York") if one.startswith(day)]
    assert sent == [f"{day} {goes}"]


def test_m13_too_late_for_nine_is_nine_tomorrow() -> None:
    for grace, day in (("", "02"), (", grace: 30m", "01")):
        text = journey("j", ON_PURCHASE, f"wait: {{until: '09:00'{grace}}}", SEND)
        world = shop(text)
        world.buy("2026-06-01 09:20")
        world.until("2026-06-05 00:00")
        goes = "09:00" if day == "02" else "09:20"
        assert world.sent() == [f"2026-06-{day} {goes}"]


def test_m14_a_zone_that_is_none() -> None:
    """Three of 600 have one: they go by their shop's clock, and all 600 are planned."""
    chain = Chain(
        timezone="UTC",
        places={"S1": Place(timezone=SHANGHAI)},
        journeys=chain_of(quiet_hours=None).journeys,
    )
    world = Shop(journey("j", "{schedule: every day 12:00}", SEND), chain=chain)
    for number in range(600):
        zone = "Asia/Beijing" if number % 200 == 0 else SHANGHAI
        world.allow("2026-06-01 00:00", member=f"m{number}")
        world.join("2026-06-01 00:00", f"m{number}", zone=zone, store="S1")
    world.until("2026-06-01 13:00")
    assert world.sent() == ["2026-06-01 12:00"] * 600


def test_messages_that_wait_leave_oldest_first() -> None:
    """A night full of messages: each goes once, at nine, none is lost."""
    world = shop(journey("j", ON_PURCHASE, SEND), quiet_hours="21:00-09:00")
    for number in range(200):
        world.allow("2026-06-01 00:00", member=f"m{number}")
    for number in range(200):
        world.buy(local(instant("2026-06-01 22:00") + number * HOUR_US // 60), member=f"m{number}")
    world.until("2026-06-02 10:00")
    assert world.sent() == ["2026-06-02 09:00"] * 200
    assert len({one.id for one in world.decided("go")}) == 200
    waited = [one.first_due for one in world.decided("go")]
    assert sum(late > early for early, late in pairwise(sorted(waited))) == 199
