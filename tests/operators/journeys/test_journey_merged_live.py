"""Persons of several ids live: what is known in the end decides, not which shard was quicker."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from depth import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from journey_driver import SEND, journey, program
from journey_network import (
    AWAITED,
    CHAIN,
    NOW,
    PARTS,
    RULES,
    SHARDS,
    Network,
    agreed,
    batch,
    bought,
    given_back,
    merged,
)

from operators.members.facts import UNITED, Answer, Fact, read_up
from schemas.instants import DAY_US, HOUR_US, MINUTE_US

ASKS = journey("asks", "{event: purchase}", SEND,
               "{wait: {event: opened, timeout: 12h}, then: [{give: glad}], "
               "else: [{give: sad}]}")  # fmt: skip
ONCE = journey("once", "{event: purchase}", "give: one", reenter="never",
               limits="{max_event_age: 3d}")  # fmt: skip
SORRY = journey("sorry", "{event: refund}", "give: sorry", reenter="always",
                limits="{max_event_age: 3d}")  # fmt: skip
MORE = RULES._replace(programs=(*RULES.programs, program(ONCE, CHAIN), program(SORRY, CHAIN)))
ASKING = RULES._replace(programs=(program(ASKS, CHAIN),))
THANKED = {("b", "thanks", "send", "go")}


def of_a_merged_pair() -> Network:
    """b agreed, a is b, and a has bought; nothing of it has arrived."""
    world = Network(RULES)
    world.tell(agreed("b", NOW - DAY_US))
    world.tell(merged("a", "b", NOW - HOUR_US))
    world.tell(bought("a", "1", NOW - MINUTE_US))
    for part in PARTS:
        world.tell(part)
    return world


def test_what_one_id_did_waits_for_the_other() -> None:
    """The purchase of one arrives at persons before anything of the other: it is not lost."""
    world = of_a_merged_pair()
    for way in ((None, UNITED), (None, 0), (None, 0), (0, UNITED), (0, UNITED)):
        world.deliver(way)
    assert world.done == []
    world.deliver_all()
    assert world.decided() == THANKED


def test_what_waits_survives_a_restart() -> None:
    world = of_a_merged_pair()
    for way in ((None, UNITED), (None, 0), (None, 0), (0, UNITED), (0, UNITED)):
        world.deliver(way)
    world.restart_persons()
    world.deliver_all()
    assert world.decided() == THANKED


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("parts", [0, 1])
def test_what_is_heard_waits_for_the_journey(parts: int, *, restart: bool) -> None:
    """Persons hear that a message was opened, and the journey that sent it is on its way."""
    world = Network(ASKING)
    for fact in (agreed("a", NOW - DAY_US), bought("a", "1", NOW - MINUTE_US), *PARTS):
        world.tell(fact)
    world.deliver_all()
    (sent,) = world.done
    world.tell(merged("a", "b", NOW))
    world.deliver((None, UNITED))
    world.deliver((None, 0))
    for _ in range(parts):
        world.deliver((0, UNITED))
    opened = Answer(NOW, "app", "o", "live", "a", "opened", sent.id)
    for number in (UNITED, 0):
        world.send(None, batch(number, opened))
        world.deliver((None, number))
    if restart:
        world.restart_persons()
        for one in AWAITED:
            world.send(None, read_up(UNITED, one))
    world.deliver_all()
    world.now += DAY_US
    world.wake()
    assert [(one.member, one.gift) for one in world.done if one.gift] == [("b", "glad")]


def test_what_one_id_did_is_seen_by_whom_the_other_is_merged_into() -> None:
    """b is c before all of b is known, and what a did is seen by then."""
    world = of_a_merged_pair()
    world.tell(agreed("c", NOW - DAY_US))
    for way in ((None, UNITED), (None, 0), (None, 0), (0, UNITED), (0, UNITED)):
        world.deliver(way)
    world.tell(merged("b", "c", NOW - MINUTE_US))
    while world.ways[None, UNITED]:
        world.deliver((None, UNITED))
    world.deliver_all()
    assert world.decided() == {("c", "thanks", "send", "go")}


def test_what_is_heard_before_persons_know_of_the_id_is_not_lost() -> None:
    """Its shard has handed over the journey by then, and persons have never heard of it."""
    world = Network(ASKING)
    for fact in (agreed("a", NOW - DAY_US), bought("a", "1", NOW - MINUTE_US), *PARTS):
        world.tell(fact)
    world.deliver_all()
    (sent,) = world.done
    opened = Answer(NOW, "app", "o", "live", "a", "opened", sent.id)
    world.send(None, batch(UNITED, opened))
    world.tell(merged("a", "b", NOW))
    world.send(None, batch(0, opened))
    world.deliver_all()
    world.now += DAY_US
    world.wake()
    assert [(one.member, one.gift) for one in world.done if one.gift] == [("b", "glad")]


@pytest.mark.parametrize("late", [False, True])
def test_what_was_merged_long_ago_crosses_nothing_now(*, late: bool) -> None:
    """Also when the last part of the person comes after all that is new."""
    text = journey("vip", "{crosses: {field: spent, above: 150}}", "give: vip")
    world = Network(RULES._replace(programs=(program(text, CHAIN),)))
    old: list[Fact] = [
        bought("a", "1", NOW - 60 * DAY_US),
        bought("b", "2", NOW - 60 * DAY_US),
        merged("a", "b", NOW - 30 * DAY_US),
    ]
    new: list[Fact] = [agreed("a", NOW - HOUR_US), agreed("b", NOW - HOUR_US)]
    for fact in (*new, *old, *PARTS) if late else (*old, *new, *PARTS):
        world.tell(fact)
        world.deliver_all()
    assert world.decided() == set()


members = st.sampled_from(sorted(SHARDS))
ages = st.one_of(st.integers(0, 70), st.integers(0, 75 * 24)).map(lambda hours: hours * HOUR_US)
happened = st.lists(st.tuples(members, ages), max_size=8)
pairs = st.tuples(members, members).filter(lambda pair: pair[0] != pair[1])


@st.composite
def histories(draw: Any) -> list[Fact]:
    """Facts in the order of time."""
    facts: list[Fact] = [
        bought(member, f"p{number}", NOW - age)
        for number, (member, age) in enumerate(draw(happened))
    ]
    for number, (member, age) in enumerate(draw(happened)[:3]):
        facts.append(given_back(member, f"p{number}", NOW - age))
    for member, age in draw(happened):
        facts.append(agreed(member, NOW - age, draw(st.sampled_from(("granted", "withdrawn")))))
    # Who is merged into two, one after the other, leaves the first what it brought: of such there
    # are none here.
    links = st.lists(st.tuples(pairs, ages), max_size=2, unique_by=lambda one: one[0][0])
    for (member, survivor), age in draw(links):
        facts.append(merged(member, survivor, NOW - age))
    return sorted(facts, key=lambda one: one.time)


@settings(max_examples=cases(60, 1_000), deadline=None)
@given(histories(), st.data())
def test_any_order_comes_to_the_same(facts: list[Fact], data: Any) -> None:
    """Two parts of a source and three shards, each as quick as it likes."""
    whole = Network(MORE)
    for fact in (*facts, *PARTS):
        whole.tell(fact)
        whole.deliver_all()

    world = Network(MORE)
    queues: list[deque[Fact | str]] = [deque(), deque()]
    for fact in facts:
        queues[data.draw(st.integers(0, 1))].append(fact)
    for part, queue in zip(PARTS, queues, strict=True):
        queue.append(part)
    while True:
        ways = world.open()
        left = [queue for queue in queues if queue]
        if not ways and not left:
            break
        at = data.draw(st.integers(0, len(ways) + len(left) - 1))
        if at < len(ways):
            world.deliver(ways[at])
        else:
            world.tell(left[at - len(ways)].popleft())
    assert world.decided() == whole.decided()
