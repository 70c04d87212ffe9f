"""Journeys without an engine: facts in the order of time, every wait ended at its instant.

What was the clock on the wall is the time of the facts here, so the past is lived through as if it
were now. Nothing goes anywhere but to the caller.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import msgspec

from operators.journeys.decisions import Decision, Moved
from operators.journeys.journeying import Rules
from operators.journeys.program import Program
from operators.journeys.shards import JourneyMemberShard, JourneyPersonShard
from operators.journeys.triggers import Turned
from operators.members.facts import UNITED, Fact, MemberBatch
from operators.members.health.model import HealthModel
from operators.members.outcome import MembersOutcome
from operators.members.rules import MemberRules
from schemas.chain import Chain

# A fact, and the shard that is told of it: UNITED is that of persons.
Routed = tuple[int, Fact]


class Replay:
    """One shard of members and the one of persons, in a loop."""

    def __init__(
        self, chain: Chain, programs: Iterable[Program] = (), health: HealthModel | None = None
    ) -> None:
        self._chain = chain
        self._members = MemberRules(chain)
        self._programs = tuple(programs)
        self._health = health
        self.now = 0
        self.decisions: list[Decision] = []
        self.moves: list[Moved] = []
        self.refused = 0
        self.shards: dict[int, JourneyMemberShard | JourneyPersonShard] = {}
        self._open()

    def _open(self) -> None:
        rules = Rules(self._chain, self._members, self._programs, self._health)
        self.shards = {0: JourneyMemberShard(rules), UNITED: JourneyPersonShard(rules)}

    def begin(self, programs: Iterable[Program]) -> None:
        """Put journeys in force from now on."""
        self._programs = tuple(programs)
        for shard in self.shards.values():
            shard.put_in_force(self._programs)
        self.pass_to(self.now)

    def take(self, shard: int, fact: Fact, now: int | None = None) -> None:
        """Let time pass up to a fact, and take it; `now`: when it is known, if that is later."""
        now = max(self.now, fact.time if now is None else now)
        self._before(now)
        self.now = now
        self._apply(shard, [fact], now)

    def pass_to(self, now: int) -> None:
        """Let time pass, and do what is due then."""
        self._before(now)
        self.now = max(self.now, now)
        for number in list(self.shards):
            self._keep(self.shards[number].tick(self.now))

    def restart(self) -> None:
        """Go on from what is stored, as after a restart."""
        dumps = {number: shard.dump() for number, shard in self.shards.items()}
        self._open()
        for number, dumped in dumps.items():
            self.shards[number].restore(*dumped)

    def turned(self) -> dict[str, Turned]:
        """Whom triggers did not let in, by journey."""
        found: dict[str, Turned] = {}
        for shard in self.shards.values():
            for name, one in shard.desk.turned.items():
                mine = found.get(name, Turned())
                found[name] = Turned(mine.stale + one.stale, mine.not_for + one.not_for)
        return found

    def tags(self, member: str) -> dict[str, str]:
        """What journeys have set."""
        for shard in self.shards.values():
            if member in shard.desk.members:
                return shard.desk.members[member].tags
        return {}

    def _before(self, now: int) -> None:
        """End every wait that ends before an instant, each at its own."""
        while True:
            due = {number: shard.due(self.now) for number, shard in self.shards.items()}
            first = min((at for at in due.values() if at is not None), default=now)
            if first >= now:
                return
            self.now = max(self.now, first)
            for number, at in due.items():
                if at is not None and at <= self.now:
                    self._keep(self.shards[number].tick(self.now))

    def _apply(self, shard: int, facts: list[Fact], now: int) -> None:
        newest = max(fact.time for fact in facts)
        positions = array("Q", [0] * len(facts))
        batch = MemberBatch(shard, "", positions, facts, newest, facts[0].origin)
        self._keep(self.shards[shard].apply([batch], now))

    def _keep(self, outcomes: list[MembersOutcome]) -> None:
        for out in outcomes:
            self.decisions += [one for one in out.decisions if isinstance(one, Decision)]
            self.moves += [one for one in out.runs if isinstance(one, Moved)]
            self.refused += len(out.refusals)
            if out.parts:
                self._apply(UNITED, list(out.parts), self.now)


def as_live(fact: Fact) -> Fact:
    """The fact as if it were told now: what a simulation asks is what would have been done."""
    return fact if fact.origin == "live" else msgspec.structs.replace(fact, origin="live")
