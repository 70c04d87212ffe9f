"""After an outage nothing is done to anybody before all is known that happened meanwhile."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from depth import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from journey_driver import journey, program
from journey_network import CHAIN, NOW, PARTS, RULES, bought

from operators.journeys.decisions import Decision
from operators.journeys.journeying import Rules
from operators.journeys.shards import JourneyMemberShard, JourneyPersonShard
from operators.members.facts import (
    UNITED,
    Consent,
    Fact,
    MemberBatch,
    Refund,
    read_up,
)
from operators.members.outcome import MembersOutcome
from schemas.instants import DAY_US, HOUR_US, MINUTE_US


def agreed(member: str, at: int, status: Any = "granted") -> Consent:
    name = f"{member}-{status}"
    return Consent(at, "crm", name, "live", member, "marketing", "any", status, None, None)


def batch(*facts: Fact) -> MemberBatch:
    newest = max(one.time for one in facts)
    return MemberBatch(0, "", array("Q", range(len(facts))), list(facts), newest, "live")


class Running:
    """A run of one shard that keeps its journal, and what it has decided."""

    def __init__(self, entries: list[bytes] | None = None, rules: Rules = RULES) -> None:
        self.shard = JourneyMemberShard(rules, journaled=True, awaits=PARTS)
        self.entries = list(entries or ())
        self.done: list[Decision] = []
        self.read_up = 0
        if not self.entries:
            self.shard.restore(*JourneyMemberShard(rules).dump())
        for entry in self.entries:
            self.shard.replay(entry)

    def take(self, *batches: MemberBatch, now: int = NOW) -> None:
        """As the engine does it: apply, and hand rows out now and then."""
        self._keep(self.shard.apply(batches, now))
        self.entries.append(self.shard.journal_entry())
        flushed = self.shard.flush()
        if flushed:
            self._keep(flushed)
            self.entries.append(self.shard.flush_entry())

    def wake(self, now: int = NOW) -> None:
        """Let time pass, if somebody asked for it."""
        due = self.shard.due(now)
        if due is not None and due <= now:
            self._keep(self.shard.tick(now))
            self.entries.append(self.shard.tick_entry(now))

    def _keep(self, outcomes: list[MembersOutcome]) -> None:
        for out in outcomes:
            self.done += [one for one in out.decisions if isinstance(one, Decision)]
            self.read_up += out.read_up

    def went(self) -> set[tuple[str, str, str]]:
        return {(one.member, one.journey, one.action) for one in self.done if one.decision == "go"}


def test_a_purchase_meanwhile_is_known_before_a_gift() -> None:
    """30 days were over while nothing ran, and so was the reason for the gift."""
    run = Running()
    run.take(batch(agreed("m", NOW - 40 * DAY_US), agreed("n", NOW - 40 * DAY_US)))
    run.take(batch(*(bought(one, f"old-{one}", NOW - 30 * DAY_US - HOUR_US) for one in "mn")))
    run.wake()
    assert run.done == []
    run.take(read_up(0, PARTS[0]))
    run.wake()
    assert run.done == []
    run.take(batch(bought("m", "new", NOW - 10 * MINUTE_US)), read_up(0, PARTS[1]))
    assert run.done == []
    run.wake()
    gifts = {("n", "winback", "give"), ("n", "winback", "send")}
    assert run.went() == {*gifts, ("m", "thanks", "send")}
    assert run.read_up == 1
    run.take(batch(bought("n", "newer", NOW)), read_up(0, PARTS[1]))
    assert run.read_up == 1


def test_a_consent_in_another_part_is_known_before_a_message() -> None:
    run = Running()
    run.take(batch(bought("m", "1", NOW - 2 * HOUR_US)), read_up(0, PARTS[0]))
    run.wake()
    run.take(batch(agreed("m", NOW - DAY_US)), read_up(0, PARTS[1]))
    run.wake()
    assert run.went() == {("m", "thanks", "send")}
    run.wake(NOW + HOUR_US)
    assert run.went() == {("m", "thanks", "send"), ("m", "thanks", "give")}


@pytest.mark.parametrize("exit_when", ["[]", "[purchase]"])
def test_who_did_not_leave_after_all_was_never_let_in(exit_when: str) -> None:
    """One part says how late it is before another says that they have bought meanwhile."""
    text = journey("lost", "{segment_enters: [lost], cause: [time]}", "give: pack",
                   exit_when=exit_when, limits="{max_event_age: 3d}")  # fmt: skip
    run = Running(rules=RULES._replace(programs=(program(text, CHAIN),)))
    old = NOW - 30 * DAY_US - HOUR_US
    run.take(batch(*(bought(one, f"old-{one}", old) for one in "mn")))
    run.take(batch(agreed("x", NOW)), read_up(0, PARTS[0]))
    run.take(batch(bought("m", "new", NOW - DAY_US)), read_up(0, PARTS[1]))
    run.wake()
    assert run.went() == {("n", "lost", "give")}
    # So it may be let in when it does leave.
    run.wake(NOW + 29 * DAY_US)
    assert run.went() == {("n", "lost", "give"), ("m", "lost", "give")}


def test_what_was_given_back_meanwhile_was_never_enough() -> None:
    text = journey("vip", "{crosses: {field: spent, above: 150}}", "give: vip")
    run = Running(rules=RULES._replace(programs=(program(text, CHAIN),)))
    run.take(batch(*(bought("m", f"{hour}", NOW - hour * HOUR_US) for hour in (1, 3))))
    run.take(read_up(0, PARTS[0]))
    back = Refund(NOW - 2 * HOUR_US, "till", "back", "live", "m", hash("3"), 10_000, "CNY", 1)
    run.take(batch(back), read_up(0, PARTS[1]))
    run.wake()
    assert run.went() == set()
    run.take(batch(bought("m", "4", NOW)))
    run.wake(NOW + HOUR_US)
    assert run.went() == {("m", "vip", "give")}


def test_persons_wait_for_the_shards_of_their_ids() -> None:
    shard = JourneyPersonShard(RULES, awaits=[*PARTS, "00", "01"])
    for part in (*PARTS, "00"):
        shard.apply([read_up(UNITED, part)], NOW)
        assert shard.due(NOW) is None
        assert shard.desk.holds
    (out,) = shard.apply([read_up(UNITED, "01")], NOW)
    assert out.read_up
    shard.tick(NOW)
    assert not shard.desk.holds


members = st.sampled_from("abc")
ages = st.integers(0, 75 * 24).map(lambda hours: hours * HOUR_US)
happened = st.lists(st.tuples(members, ages), max_size=8)


@st.composite
def interleaved(draw: Any) -> tuple[list[Fact], list[MemberBatch]]:
    """Facts in the order of time, and as the parts of a source bring them, each in its order."""
    facts: list[Fact] = [
        bought(member, f"p{number}", NOW - age)
        for number, (member, age) in enumerate(draw(happened))
    ]
    for member, age in draw(happened):
        facts.append(agreed(member, NOW - age, draw(st.sampled_from(("granted", "withdrawn")))))
    facts.sort(key=lambda one: one.time)
    queues: list[list[MemberBatch]] = [[], []]
    for fact in facts:
        queues[draw(st.integers(0, 1))].append(batch(fact))
    for part, queue in zip(PARTS, queues, strict=True):
        queue.append(read_up(0, part))
    arriving = []
    while any(queues):
        queue = draw(st.sampled_from([one for one in queues if one]))
        arriving.append(queue.pop(0))
    return facts, arriving


def decided(run: Running) -> set[tuple[str, str, str, str]]:
    return {(one.member, one.journey, one.action, one.decision) for one in run.done}


@settings(max_examples=cases(60, 600), deadline=None)
@given(interleaved(), st.data())
def test_parts_in_any_order_come_to_the_same(
    given_: tuple[list[Fact], list[MemberBatch]], data: Any
) -> None:
    """What is decided does not depend on which part is read first; also after a crash midway."""
    facts, arriving = given_
    whole = Running()
    for fact in facts:
        whole.take(batch(fact))
    whole.take(*(read_up(0, part) for part in PARTS))
    whole.wake()

    run = Running()
    crash_at = data.draw(st.integers(0, len(arriving)))
    for number, one in enumerate(arriving):
        if number == crash_at:
            assert run.done == []
            before = run.shard.dump()
            run = Running(run.entries)
            if run.entries:
                assert run.shard.dump() == before
            # What an earlier run was told of the end counts for that run alone.
            for earlier in arriving[:number]:
                if earlier.read_up:
                    run.take(earlier)
        run.take(one)
        run.wake()
    assert decided(run) == decided(whole)


def test_what_a_journal_of_before_says_is_brought_about_as_then() -> None:
    """Entries that know nothing of holding are of desks that did not."""
    shard = JourneyMemberShard(RULES, journaled=True)
    shard.restore(*JourneyMemberShard(RULES).dump())
    facts = (agreed("m", NOW - DAY_US), bought("m", "1", NOW - 2 * HOUR_US))
    shard.apply([batch(*facts)], NOW)
    entries = [shard.journal_entry()]
    assert shard.tick(NOW)
    entries.append(shard.tick_entry(NOW))
    later = Running(entries)
    assert later.shard.dump() == shard.dump()
    assert later.shard.desk.holds
    later.take(read_up(0, PARTS[0]), read_up(0, PARTS[1]))
    later.wake()
    assert later.done == []


@pytest.mark.parametrize("part", PARTS)
def test_one_part_alone_does_not_let_time_act(part: str) -> None:
    run = Running()
    run.take(batch(agreed("m", NOW - DAY_US), bought("m", "1", NOW - 2 * HOUR_US)))
    run.take(read_up(0, part))
    run.wake(NOW + DAY_US)
    assert run.done == []
