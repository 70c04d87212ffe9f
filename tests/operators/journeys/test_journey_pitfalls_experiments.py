"""Pitfalls E, C and X: arms, gifts and privacy; the list is in pitfall_shop.py."""

from __future__ import annotations

import pytest
from journey_driver import SEND, chain_of, journey, local
from pitfall_shop import ON_PURCHASE, shop

from operators.journeys.compile import read_journey


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


def test_the_better_arm_is_rolled_out() -> None:
    """All get it from now on, but for a tenth that was in the control from the first day."""
    split = (
        "split: {experiment: x, arms: {A: 50%, B: 50%}, steps: {A: [give: a], B: [give: b]}ROLL}"
    )
    text = journey("j", ON_PURCHASE, split, reenter="always")
    world = shop(text.replace("ROLL", ""))
    names = [f"m{number}" for number in range(400)]

    def everybody_buys(day: int) -> dict[str, str | None]:
        before = len(world.decided("go"))
        for name in names:
            world.buy(f"2026-06-{day:02d} 12:00", member=name)
        world.until(f"2026-06-{day + 1:02d} 00:00")
        return {one.member: one.gift for one in world.decided("go")[before:]}

    first = everybody_buys(1)
    world.publish(text.replace("ROLL", ", rolled_out: B"))
    then = everybody_buys(10)
    control = {name for name, gift in then.items() if gift == "a"}
    assert {first[name] for name in control} == {"a"}
    assert 20 <= len(control) <= 60
    assert sum(gift == "a" for gift in first.values()) > 160
    world.restart()
    assert everybody_buys(20) == then
    (split_again,) = [one for one in world.decided("go") if one.member == "m0"][-1:]
    assert split_again.arm == ("A" if "m0" in control else "B")


@pytest.mark.parametrize(
    ("more", "code", "word"),
    [
        ("rolled_out: A", "no_such_arm", "write B"),
        ("rolled_out: C", "no_such_arm", "write B"),
        ("rolled_out: B, remaining: 60%", "remaining", "at most the 50%"),
        ("rolled_out: B, remaining: 0%", "remaining", "more than nothing"),
    ],
)
def test_a_roll_out_that_cannot_be(more: str, code: str, word: str) -> None:
    split = f"split: {{experiment: x, arms: {{A: 50%, B: 50%}}, {more}}}"
    read = read_journey(journey("j", ON_PURCHASE, split), "j.yaml", chain_of())
    assert [one.code for one in read.source.findings] == [code]
    assert word in read.source.findings[0].said.en


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
