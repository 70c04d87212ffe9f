"""Shards of members and that of persons, and what is on its way between them in any order."""

from __future__ import annotations

from array import array
from collections import deque
from typing import Any

from journey_driver import SEND, chain_of, instant, journey, program

from operators.journeys.decisions import Decision
from operators.journeys.journeying import Rules
from operators.journeys.shards import JourneyMemberShard, JourneyPersonShard
from operators.members.facts import (
    UNITED,
    Consent,
    Fact,
    Link,
    MemberBatch,
    Purchase,
    Refund,
    read_up,
)
from operators.members.outcome import MembersOutcome
from operators.members.rules import MemberRules

CHAIN = chain_of({"late_days": 90}, quiet_hours=None)
WINBACK = journey("winback", "{no_purchase_for: 30d}", "give: pack", SEND, reenter="always",
                  exit_when="[purchase]", limits="{max_event_age: 3d}")  # fmt: skip
THANKS = journey("thanks", "{event: purchase}", SEND, "wait: 1h", "give: tea", reenter="always",
                 limits="{max_event_age: 3d}")  # fmt: skip
RULES = Rules(CHAIN, MemberRules(CHAIN), (program(WINBACK, CHAIN), program(THANKS, CHAIN)))
NOW = instant("2026-06-01 12:00")
PARTS = ("kafka-00", "kafka-01")
# The shard of each id.
SHARDS = {"a": 0, "b": 1, "c": 0}
NUMBERS = (0, 1)
AWAITED = [*PARTS, *map(str, NUMBERS)]
Way = tuple[int | None, int]


def bought(member: str, name: str, at: int) -> Purchase:
    return Purchase(at, "till", name, "live", member, hash(name), 10_000, "CNY")


def given_back(member: str, name: str, at: int) -> Refund:
    about = (hash(name), 10_000, "CNY", hash(f"back of {name}"))
    return Refund(at, "till", f"back of {name}", "live", member, *about)


def agreed(member: str, at: int, status: Any = "granted") -> Consent:
    name = f"{member}-{status}-{at}"
    return Consent(at, "crm", name, "live", member, "marketing", "any", status, None, None)


def batch(shard: int, fact: Fact) -> MemberBatch:
    return MemberBatch(shard, "", array("Q", [0]), [fact], fact.time, "live")


def told(fact: Fact) -> list[MemberBatch]:
    """Whom a fact is told: who is whom concerns the shards of both ids, and persons."""
    if not isinstance(fact, Link):
        return [batch(SHARDS[fact.member], fact)]
    head: Any = {"time": fact.time, "source": fact.source, "id": fact.id, "origin": "live"}
    ids = (fact.member, fact.survivor)
    links = [batch(SHARDS[one], Link(**head, member=one, merged=fact.merged)) for one in ids]
    return [*links, batch(UNITED, fact)]


def merged(member: str, survivor: str, at: int) -> Link:
    return Link(at, "crm", f"{member}>{survivor}-{at}", "live", member, merged=True,
                survivor=survivor)  # fmt: skip


class Network:
    """Two shards of members and that of persons; what one tells another is on its way."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.now = NOW
        self.shards: dict[int, JourneyMemberShard | JourneyPersonShard] = {
            number: JourneyMemberShard(rules, awaits=PARTS) for number in NUMBERS
        }
        self.shards[UNITED] = JourneyPersonShard(rules, awaits=AWAITED)
        self.ways: dict[Way, deque[MemberBatch]] = {}
        self.done: list[Decision] = []

    def send(self, sender: int | None, one: MemberBatch) -> None:
        """Put it on its way; None is the source."""
        self.ways.setdefault((sender, one.shard), deque()).append(one)

    def tell(self, fact: Fact | str) -> None:
        """What the source hands out: a fact, or the part that has read up."""
        if isinstance(fact, str):
            for shard in self.shards:
                self.send(None, read_up(shard, fact))
            return
        for one in told(fact):
            self.send(None, one)

    def open(self) -> list[Way]:
        """Ways on which something is."""
        return [way for way, waiting in self.ways.items() if waiting]

    def deliver(self, way: Way) -> None:
        """Let the first thing on a way arrive."""
        self.arrive(way[1], self.ways[way].popleft())
        self.wake()

    def arrive(self, number: int, one: MemberBatch) -> None:
        """Have a shard take what it is told."""
        outcomes = self.shards[number].apply([one], self.now)
        self._applied(number)
        self._keep(number, outcomes)
        flushed = self.shards[number].flush()
        if flushed:
            self._flushed(number)
        self._keep(number, flushed)

    def _applied(self, number: int) -> None:
        """A shard has taken something."""

    def _flushed(self, number: int) -> None:
        """A shard has handed rows out."""

    def _ticked(self, number: int) -> None:
        """A shard has let time pass."""

    def deliver_all(self) -> None:
        """Let everything arrive."""
        while ways := self.open():
            self.deliver(ways[0])

    def wake(self) -> None:
        """Let time pass where somebody asked for it."""
        for number, shard in self.shards.items():
            due = shard.due(self.now)
            if due is not None and due <= self.now:
                outcomes = shard.tick(self.now)
                self._ticked(number)
                self._keep(number, outcomes)

    def restart_persons(self) -> None:
        """Persons go on from their state."""
        dumped = self.shards[UNITED].dump()
        shard = self.shards[UNITED] = JourneyPersonShard(self._rules, awaits=AWAITED)
        shard.restore(*dumped)

    def _keep(self, number: int, outcomes: list[MembersOutcome]) -> None:
        for out in outcomes:
            self.done += [one for one in out.decisions if isinstance(one, Decision)]
            for part in out.parts:
                self.send(number, batch(UNITED, part))
            if out.read_up:
                self.send(number, read_up(UNITED, str(number)))

    def decided(self) -> set[tuple[str, str, str, str]]:
        return {(one.member, one.journey, one.action, one.decision) for one in self.done}
