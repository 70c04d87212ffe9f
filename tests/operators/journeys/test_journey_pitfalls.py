"""The study's pitfalls that journeys have to stand, by their names.

Not here, and why: S3-S7, S10, S12, S13, S15, S17-S21 are of figures and segments
(tests/operators/members); S25 and M1's process that is killed are in tests/flows. M2-M4, M10, M18
and the provider's part of M20 are of channels, which act on decisions; M25 is of locks, and there
are none: a member has one writer. M26: steps cannot loop, coming in again is `reenter`. I8's
figures are in tests/operators/members, I9 needs phones and events have pseudonyms. E3-E6, E8-E12
are of the experiments' figures; C1-C11 of coupons; X5 of consents as members keep them; X6: no
step changes a price.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from journey_driver import SEND, SHANGHAI, Shop, chain_of, instant, journey, local

from operators.journeys.compile import read_journey
from operators.journeys.lint import lint
from operators.members.facts import Consent, Fact, Purchase
from schemas.chain import Chain, Place
from schemas.instants import DAY_US, HOUR_US
from schemas.journey_rules import Cap

ON_PURCHASE = "{event: purchase}"
WINBACK = journey(
    "winback", "{no_purchase_for: 30d}", "wait: until 09:00", SEND, exit_when="[purchase]"
)
VIP = journey(
    "vip", "{crosses: {field: spent, above: 500}}", "set: {tier: VIP}", "wait: 7d",
    "{if: {spent: '>=500'}, then: [{give: gift}], else: [{set: {tier: review}}]}",
)  # fmt: skip


def shop(*texts: str, **about: object) -> Shop:
    """Who agreed to everything, in a chain without caps and quiet hours."""
    chain = chain_of(**{"quiet_hours": None, **about})  # type: ignore[arg-type]
    found = Shop(*texts, chain=chain)
    found.allow("2026-01-01 00:00")
    return found


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


def test_i1_a_merge_re_folds() -> None:
    """300 and 250 are 550: VIP once, because of the merge."""
    world = shop(VIP)
    world.buy("2026-03-01 12:00", 300, "a")
    world.buy("2026-03-02 12:00", 250, "b")
    world.link("2026-03-03 12:00", "b", "a")
    world.buy("2026-03-04 12:00", 50, "b")
    world.until("2026-04-01 12:00")
    assert [(one.member, one.gift) for one in world.decided("go") if one.gift] == [("a", "gift")]
    assert world.entries() == 1


def test_i3_both_in_one_journey() -> None:
    """The run that is further stays, and no step comes twice."""
    text = journey("j", ON_PURCHASE, "give: one", "wait: 5d", "give: two", reenter="never")
    world = shop(text)
    world.buy("2026-03-01 12:00", member="a")
    world.buy("2026-03-03 12:00", member="b")
    world.link("2026-03-04 12:00", "a", "b")
    world.until("2026-04-01 12:00")
    given = [(one.member, one.gift) for one in world.decided("go")]
    assert given == [("a", "one"), ("b", "one"), ("b", "two")]
    assert local(world.decided("go")[-1].decided_at) == "2026-03-06 12:00"
    assert sorted(world.left()) == ["done", "merged", "merged"]


def test_i4_caps_unite() -> None:
    text = journey("j", ON_PURCHASE, SEND, reenter="always")
    world = shop(text, caps=(Cap(3, 7),))
    for name in "ab":
        world.allow("2026-03-01 00:00", member=name)
    world.buy("2026-03-01 12:00", member="a")
    world.buy("2026-03-02 12:00", member="a")
    world.buy("2026-03-02 13:00", member="b")
    world.link("2026-03-03 12:00", "a", "b")
    world.buy("2026-03-04 12:00", member="b")
    world.until("2026-03-05 12:00")
    assert (len(world.sent()), world.held()) == (3, ["cap"])


def test_i5_consents_conflict() -> None:
    """The strictest of both, until somebody speaks after the merge."""
    text = journey("j", ON_PURCHASE, SEND, reenter="always")
    world = shop(text)
    world.allow("2026-02-01 12:00", "marketing/sms", "denied", "a")
    world.allow("2026-02-02 12:00", "marketing/sms", "granted", "b")
    world.link("2026-03-01 12:00", "a", "b")
    world.buy("2026-03-02 12:00", member="b")
    world.until("2026-03-03 00:00")
    assert world.held() == ["consent"]
    world.allow("2026-03-03 12:00", "marketing/sms", "granted", "b")
    world.buy("2026-03-04 12:00", member="b")
    world.until("2026-03-05 12:00")
    assert world.sent() == ["2026-03-04 12:00"]


def test_i6_a_late_event_for_the_losing_id() -> None:
    world = shop(WINBACK)
    world.allow("2026-02-01 00:00", member="b")
    world.buy("2026-03-01 12:00", member="b")
    world.link("2026-03-02 12:00", "a", "b")
    world.buy("2026-03-20 12:00", member="a")
    world.until("2026-04-10 12:00")
    assert world.sent() == []
    world.until("2026-05-10 12:00")
    assert world.sent() == ["2026-04-20 09:00"]


def test_i7_arms_differ() -> None:
    """The arm of the first exposure stays."""
    text = journey(
        "j", ON_PURCHASE,
        "split: {experiment: x, arms: {A: 50%, B: 50%}, steps: {A: [give: a], B: [give: b]}}",
        reenter="always",
    )  # fmt: skip
    world = shop(text)
    names = [f"n{number}" for number in range(20)]
    for hour, name in enumerate(names):
        world.buy(f"2026-03-01 {hour:02d}:00", member=name)
    world.until("2026-03-02 00:00")
    arms = {one.member: one.arm for one in world.decided("go")}
    first = next(name for name in names if arms[name] == "A")
    other = next(name for name in names if arms[name] == "B" and name > first)
    world.link("2026-03-03 00:00", first, other)
    world.buy("2026-03-04 00:00", member=other)
    world.until("2026-03-05 00:00")
    earlier = min(first, other, key=names.index)
    assert world.decided("go")[-1].arm == arms[earlier]


def test_i8_un_merge_gives_nothing_twice() -> None:
    """Both are alone again, and what either had is not had again."""
    text = journey("j", ON_PURCHASE, "give: one", reenter="never")
    world = shop(text)
    world.buy("2026-03-01 12:00", member="a")
    world.buy("2026-03-01 12:00", member="b")
    world.link("2026-03-02 12:00", "a", "b")
    world.link("2026-03-03 12:00", "a", "b", merged=False)
    world.buy("2026-03-04 12:00", member="a")
    world.buy("2026-03-04 12:00", member="b")
    world.until("2026-04-01 12:00")
    assert world.gifts() == ["one", "one"]


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


def test_e1_sticky_arms() -> None:
    """The same arm ten times over, through restarts and other shares."""
    text = journey(
        "j", ON_PURCHASE,
        "split: {experiment: x, arms: {A: 50%, B: 50%}, steps: {A: [give: a], B: [give: b]}}",
        reenter="always",
    )  # fmt: skip
    world = shop(text)
    for day in range(1, 11):
        world.buy(f"2026-06-{day:02d} 12:00")
        world.until(f"2026-06-{day:02d} 13:00")
        world.restart()
        if day == 5:
            world.publish(text.replace("A: 50%, B: 50%", "A: 1%, B: 99%"))
            world.publish(text.replace("A: 50%, B: 50%", "A: 99%, B: 1%"))
    assert len(set(world.gifts())) == 1
    assert len(world.gifts()) == 10


def test_e2_shares_must_make_a_whole() -> None:
    text = journey("j", ON_PURCHASE, "split: {experiment: x, arms: {A: 50%, B: 40%}}")
    read = read_journey(text, "j.yaml", chain_of())
    assert [one.code for one in read.source.findings] == ["shares"]


def test_e7_the_control_is_logged_where_it_would_have_been_sent_to() -> None:
    """After the same checks: night, cap and consent hold back treated and control alike."""
    text = journey("j", ON_PURCHASE, SEND, holdout="50%")
    world = shop(text, quiet_hours="21:00-09:00")
    for number in range(40):
        name = f"m{number}"
        if number % 4:
            world.allow("2026-06-01 00:00", member=name)
        world.buy("2026-06-01 22:00", member=name)
    world.until("2026-06-03 00:00")
    ended = [one for one in world.replay.decisions if one.decision != "defer"]
    reached = [one for one in ended if one.reason != "consent"]
    assert {one.reason for one in reached} == {"", "holdout"}
    assert {local(one.decided_at) for one in reached} == {"2026-06-02 09:00"}
    assert len(reached) == 30
    refused = [one for one in ended if one.reason == "consent"]
    assert {one.held_out for one in refused} == {True, False}
    assert len(refused) == 10


def test_e13_the_global_holdout_is_in_no_journey() -> None:
    world = shop(journey("j", ON_PURCHASE, SEND), holdout=50.0)
    for number in range(60):
        world.allow("2026-06-01 00:00", member=f"m{number}")
        world.buy("2026-06-01 12:00", member=f"m{number}")
    world.until("2026-06-02 12:00")
    assert 0 < len(world.sent()) < 60
    assert len(world.held()) == 60 - len(world.sent())


def test_c12_a_journey_that_is_run_again_gives_the_same_coupon() -> None:
    """The id of a gift is that of member, journey, version, step and entry."""
    ids = []
    for _ in range(2):
        world = shop(journey("j", ON_PURCHASE, "give: c"))
        world.buy("2026-06-01 12:00", id="x")
        world.until("2026-06-02 12:00")
        ids += [one.id for one in world.decided("go")]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 32


def test_x1_to_x3_who_is_erased_is_told_nothing() -> None:
    """What waits is gone, what comes later brings nobody back, nor does all of it again."""
    world = shop(journey("j", ON_PURCHASE, "wait: 1d", SEND, reenter="always"))
    for _ in range(2):
        world.buy("2026-06-01 12:00", id="p", receipt="p", known="2026-06-01 12:00")
        world.erase("2026-06-01 18:00", "m")
        world.buy("2026-06-02 12:00", id="q", receipt="q")
        world.until("2026-06-05 12:00")
    assert world.replay.decisions == []
    assert world.replay.shards[0].desk.members == {}


def test_x4_an_objection_to_profiling() -> None:
    """No personal marketing, whatever was allowed before; service goes on."""
    ads = journey("ads", ON_PURCHASE, SEND)
    news = journey("news", ON_PURCHASE, SEND.replace("marketing", "service"))
    world = shop(ads, news)
    world.allow("2026-05-01 00:00", "profiling/any", "denied")
    world.buy("2026-06-01 12:00")
    world.until("2026-06-02 12:00")
    assert (world.held("ads"), len(world.sent("news"))) == (["objected"], 1)


def test_x7_no_number_of_a_person_in_a_text() -> None:
    text = journey("j", ON_PURCHASE, SEND.replace("hello", "call 13800138000"))
    read = read_journey(text, "j.yaml", chain_of())
    assert [one.code for one in read.source.findings] == ["personal_data"]


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


def test_another_text_does_not_lose_who_is_about_to_come_in() -> None:
    """A new version of the same trigger goes on with the waits for it."""
    world = shop(journey("j", "{no_purchase_for: 10d}", "give: old"))
    world.buy("2026-06-01 12:00")
    world.until("2026-06-11 11:59")
    world.publish(journey("j", "{no_purchase_for: 10d}", "give: new"))
    world.until("2026-06-12 12:00")
    assert world.gifts() == ["new"]
