"""Pitfalls I: ids that are merged, unlinked and late; the list is in pitfall_shop.py."""

from __future__ import annotations

import pytest
from journey_driver import SEND, journey, local
from pitfall_shop import ON_PURCHASE, VIP, WINBACK, shop

from operators.members.facts import UNITED
from schemas.journey_rules import Cap


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


@pytest.mark.parametrize("member", ["a", "b"])
def test_i1_who_was_above_does_not_cross(member: str) -> None:
    """Whichever of both ids comes first in the alphabet."""
    world = shop(journey("vip", "{crosses: {field: spent, above: 500}}", "give: gift"))
    world.buy("2026-03-01 12:00", 550, member, origin="backfill")
    world.link("2026-03-03 12:00", member, "b" if member == "a" else "a")
    world.until("2026-04-01 12:00")
    assert world.gifts() == []


@pytest.mark.parametrize("member", ["a", "b"])
@pytest.mark.parametrize(
    ("reenter", "given"), [("never", 1), ("{once_per: 30d}", 1), ("{once_per: 8d}", 2)]
)
def test_i3_one_has_been_in_the_journey_already(member: str, reenter: str, given: int) -> None:
    """Whichever id survives: who may not come in again does not get the same once more."""
    text = journey("j", ON_PURCHASE, "wait: 1d", "give: one", reenter=reenter)
    world = shop(text)
    world.buy("2026-03-01 12:00", member="a" if member == "b" else "b")
    world.until("2026-03-10 12:00")
    world.buy("2026-03-10 12:00", member=member)
    world.link("2026-03-10 18:00", "a", "b")
    world.until("2026-04-01 12:00")
    assert len(world.gifts()) == given


def test_i3_merged_a_second_time_in_the_same_run() -> None:
    """The run that a brought to b is not one too many because a is known to have had it."""
    world = shop(journey("j", ON_PURCHASE, "wait: 9d", "give: one", reenter="never"))
    world.buy("2026-03-01 12:00", member="a")
    world.link("2026-03-02 12:00", "a", "b")
    world.link("2026-03-03 12:00", "a", "b", merged=False)
    world.link("2026-03-04 12:00", "a", "b")
    world.until("2026-04-01 12:00")
    assert [(one.member, one.gift) for one in world.decided("go")] == [("b", "one")]


@pytest.mark.parametrize("earlier", ["a", "b"])
def test_i3_a_silence_that_was_dealt_with_is_that_of_the_person(earlier: str) -> None:
    """Also of a journey that they may come into again and again."""
    text = journey("j", "{no_purchase_for: 30d}", "give: one", reenter="always")
    world = shop(text)
    world.buy("2026-03-01 12:00", member=earlier)
    world.buy("2026-03-01 13:00", member="a" if earlier == "b" else "b")
    world.until("2026-03-31 14:00")
    world.link("2026-03-31 15:00", "a", "b")
    world.until("2026-04-15 12:00")
    assert [one.member for one in world.decided("go")] == [earlier, "a" if earlier == "b" else "b"]
    world.buy("2026-04-20 12:00", member="a")
    world.until("2026-06-01 12:00")
    assert len(world.gifts()) == 3


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


@pytest.mark.parametrize("origin", ["live", "backfill"])
def test_i8_un_merge_crosses_no_level(origin: str) -> None:
    """Who was above its level long ago has not come to it because ids were taken apart."""
    text = journey("j", "{crosses: {field: spent, above: 300}}", "give: vip", reenter="always")
    world = shop(text)
    world.buy("2026-03-01 12:00", 400, "a", origin=origin)
    world.link("2026-03-02 12:00", "a", "b")
    world.link("2026-03-03 12:00", "a", "b", merged=False)
    world.until("2026-04-01 12:00")
    assert world.gifts() == (["vip"] if origin == "live" else [])


@pytest.mark.parametrize("restart", [False, True])
def test_i8_un_merge_from_the_middle_of_a_chain(*, restart: bool) -> None:
    """a came to c by way of b: alone again, it has had what it had, also without a restart."""
    world = shop(journey("j", ON_PURCHASE, "give: one", reenter="never"))
    for hour, name in enumerate("abc"):
        world.buy(f"2026-03-01 {hour:02d}:00", member=name)
    world.link("2026-03-02 12:00", "a", "b")
    world.link("2026-03-03 12:00", "b", "c")
    if restart:
        world.restart()
    world.link("2026-03-04 12:00", "a", "b", merged=False)
    world.buy("2026-03-05 12:00", member="a")
    world.until("2026-04-01 12:00")
    assert world.gifts() == ["one"] * 3


@pytest.mark.parametrize("erased", ["a", "b"])
def test_x1_of_who_is_erased_nothing_stays_with_whom_it_was_merged_into(erased: str) -> None:
    """Neither what an erased id has brought, nor the one that it was brought to."""
    world = shop(journey("j", ON_PURCHASE, "give: one", reenter="never"))
    for hour, name in enumerate("ab"):
        world.buy(f"2026-03-01 {hour:02d}:00", member=name)
    world.link("2026-03-02 12:00", "a", "b")
    desk = world.replay.shards[UNITED].desk
    assert list(desk.members["b"].absorbed) == ["a"]
    world.erase("2026-03-03 12:00", erased)
    world.until("2026-03-04 12:00")
    if erased == "a":
        assert not desk.members["b"].absorbed
    else:
        assert list(desk.members) == ["a"]
    assert not desk._absorbed


def test_i8_un_merge_from_an_erased_survivor() -> None:
    """Who was not named in the erasure is alone again, and has had what it had."""
    text = journey("j", ON_PURCHASE, "give: one", "wait: 9d", "give: two", reenter="never")
    world = shop(text)
    world.buy("2026-03-01 12:00", member="a")
    world.link("2026-03-02 12:00", "a", "b")
    world.erase("2026-03-03 12:00", "b")
    world.link("2026-03-04 12:00", "a", "b", merged=False)
    world.buy("2026-03-05 12:00", member="a")
    world.until("2026-04-01 12:00")
    assert world.gifts() == ["one"]
