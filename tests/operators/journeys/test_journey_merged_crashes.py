"""Persons live: whatever comes when, and whoever dies, nothing is done twice or to the erased."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
from depth import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from journey_driver import SEND, chain_of, journey, program
from journey_network import (
    AWAITED,
    NUMBERS,
    PARTS,
    Network,
    agreed,
    bought,
    given_back,
    merged,
)

from operators.journeys.decisions import Decision
from operators.journeys.journeying import Rules
from operators.journeys.shards import JourneyMemberShard, JourneyPersonShard
from operators.members.facts import UNITED, Answer, Erasure, Fact, MemberBatch, Part
from operators.members.outcome import MembersOutcome
from operators.members.rules import MemberRules
from schemas.instants import DAY_US, HOUR_US
from schemas.journey_rules import Cap

CAP = Cap(2, 2)
CHAIN = chain_of({"late_days": 90}, quiet_hours=None, caps=(CAP,))
TEXTS = (
    journey("once", "{event: purchase}", "give: one", reenter="never"),
    journey("asks", "{event: purchase}", SEND,
            "{wait: {event: opened, timeout: 1d}, then: [{give: glad}], else: [{give: sad}]}",
            reenter="always"),
    journey("vip", "{crosses: {field: spent, above: 300}}", "set: {tier: VIP}", "give: vip"),
    journey("winback", "{no_purchase_for: 5d}", "give: pack", SEND, reenter="always",
            exit_when="[purchase]"),
)  # fmt: skip
RULES = Rules(CHAIN, MemberRules(CHAIN), tuple(program(text, CHAIN) for text in TEXTS))
NAMES = "abc"


class Mortal(Network):
    """Shards that keep journals; one that dies is brought about again, the same as it was."""

    def __init__(self) -> None:
        super().__init__(RULES)
        self.shards = {number: self._new(number) for number in self.shards}
        self._journal: dict[int, list[bytes]] = {number: [] for number in self.shards}
        self._born = {number: shard.dump() for number, shard in self.shards.items()}
        self.erased: set[str] = set()

    def _new(self, number: int) -> JourneyMemberShard | JourneyPersonShard:
        if number == UNITED:
            return JourneyPersonShard(RULES, journaled=True, awaits=AWAITED)
        return JourneyMemberShard(RULES, journaled=True, awaits=PARTS)

    def arrive(self, number: int, one: MemberBatch) -> None:
        super().arrive(number, one)
        for fact in one.facts:
            if isinstance(fact, Erasure) and not self.shards[number].erased[fact.member]:
                self.erased.add(fact.member)
            if isinstance(fact, Part) and not fact.packed:
                self.erased.add(fact.member)

    def _applied(self, number: int) -> None:
        self._journal[number].append(self.shards[number].journal_entry())

    def _flushed(self, number: int) -> None:
        self._journal[number].append(self.shards[number].flush_entry())

    def _ticked(self, number: int) -> None:
        self._journal[number].append(self.shards[number].tick_entry(self.now))

    def _keep(self, number: int, outcomes: list[MembersOutcome]) -> None:
        for out in outcomes:
            told = [one for one in out.decisions if isinstance(one, Decision)]
            assert not self.erased & {one.member for one in told}
        super()._keep(number, outcomes)

    def die(self, number: int) -> None:
        """Restart a shard from what it began with and its journal; all had read up."""
        before = self.shards[number].dump()
        shard = self._new(number)
        shard.restore(*self._born[number])
        for entry in self._journal[number]:
            shard.replay(entry)
        assert msgspec.msgpack.decode(shard.dump()[1]) == msgspec.msgpack.decode(before[1])
        self.shards[number] = shard


def happens(rng: Random, world: Mortal, number: int) -> Fact:
    """Something new, told now or some hours late."""
    at, member = world.now - rng.choice((0, 0, 2)) * HOUR_US, rng.choice(NAMES)
    sent = [one for one in world.done if one.action == "send" and one.decision == "go"]
    what = rng.random()
    if what < 0.5:
        return bought(member, f"p{number}", at)
    if what < 0.6:
        return given_back(member, f"p{rng.randrange(number + 1)}", at)
    if what < 0.75:
        return agreed(member, at)
    if what < 0.85:
        # Never into one before it in the alphabet: a circle has no end.
        first, second = sorted(rng.sample(NAMES, 2))
        return merged(first, second, at)
    if what < 0.95 and sent:
        one = rng.choice(sent)
        return Answer(at, "app", f"o{number}", "live", one.member, "opened", one.id)
    # Somebody who survives no merger: otherwise all of the person is hidden.
    return Erasure(at, "crm", f"e{number}", "live", "a")


@settings(max_examples=cases(25, 600), deadline=None)
@given(st.integers(0, 2**32))
def test_whoever_dies_nothing_is_done_twice_or_to_the_erased(seed: int) -> None:
    rng, world = Random(seed), Mortal()
    for part in PARTS:
        world.tell(part)
    world.deliver_all()
    for number in range(60):
        what = rng.random()
        if what < 0.4:
            fact = happens(rng, world, number)
            for _ in range(rng.choice((1, 1, 2))):
                world.tell(fact)
        elif what < 0.85:
            for _ in range(rng.randrange(1, 4)):
                if ways := world.open():
                    world.deliver(rng.choice(ways))
        elif what < 0.95:
            world.now += rng.choice((HOUR_US, DAY_US, 3 * DAY_US))
            world.wake()
        else:
            world.die(rng.choice([*NUMBERS, UNITED]))
            for shard in world.shards.values():
                shard._awaits.clear()
    world.deliver_all()
    for _ in range(20):
        world.now += DAY_US // 2
        world.wake()

    done = [one for one in world.done if one.decision == "go"]
    assert len({one.id for one in done}) == len(done)
    by_event = Counter((one.journey, one.entry, one.step) for one in done if "@" not in one.entry)
    assert not by_event or max(by_event.values()) == 1
    for shard in world.shards.values():
        desk = shard.desk
        there = {name: root for root, one in desk.members.items() for name in one.absorbed}
        assert there == desk._absorbed
        kept = {*desk.members, *there, *shard.watch.stands, *shard.early.seen, *shard.early.heard}
        assert not kept & world.erased
        assert not shard.early.seen
        assert not shard.early.heard
