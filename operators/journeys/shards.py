"""Shards of members with their journeys: of ids each by itself, and of persons of several."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from operators.journeys.journeying import Journeying, Rules
from operators.members.blocks import Blocks
from operators.members.facts import Answer, Erasure, Fact, MemberBatch, Part
from operators.members.member import ConsentKey, Member, Statement
from operators.members.outcome import MembersOutcome
from operators.members.persons import PersonShard
from operators.members.rows import Why
from operators.members.shard import MemberShard
from operators.refused import Where
from operators.stock.refusals import Refusal
from schemas.member_events import Cause


class JourneyMemberShard(Journeying, MemberShard):
    """The members of one shard, each by its own id, with their journeys."""

    def take(self, fact: Fact, where: Where) -> Refusal | str:
        """Take a fact; who is erased is in no journey."""
        verdict = super().take(fact, where)
        if isinstance(fact, Erasure):
            self.desk.drop(fact.member)
            self.watch.forget(fact.member)
        elif isinstance(fact, Answer) and verdict == "applied":
            self.desk.heard(fact.member, fact)
            member = self.members.get(fact.member)
            if member is not None and member.linked:
                # Persons were told, too, but maybe before they knew of the id: this one follows it.
                self.out.parts.append(fact)
        return verdict

    def _hand_on(self, name: str, fact: Fact, cause: Cause, packed: bytes) -> None:
        super()._hand_on(name, fact, cause, packed)
        self.watch.drop(name)
        journeys = self.desk.hand_over(name)
        if journeys:
            part = self.out.parts[-1]
            assert isinstance(part, Part)
            self.out.parts[-1] = msgspec.structs.replace(part, journeys=journeys)


class JourneyPersonShard(Journeying, PersonShard):
    """All ids that were ever merged, with the persons they are and their journeys.

    `senders` tell of each block: the source, and the shards of the ids.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        journaled: bool = False,
        awaits: Collection[str] = (),
        senders: int = 1,
    ) -> None:
        super().__init__(rules, journaled=journaled, awaits=awaits)
        self._blocks = Blocks(senders)

    def apply(self, batches: Sequence[MemberBatch], now: int) -> list[MembersOutcome]:
        """Take facts in, block by block."""
        whole = [one for batch in batches if (one := self._blocks.take(batch)) is not None]
        return super().apply(whole, now)

    def take(self, fact: Fact, where: Where) -> Refusal | str:
        """Take a fact; what is heard of a message to an id concerns the person it is now."""
        verdict = super().take(fact, where)
        if isinstance(fact, Answer) and fact.member in self.members:
            if self.members[fact.member].here:
                self._hear(fact)
            else:
                # The journey that it answers is on its way from the shard of the id.
                self.early.heard.setdefault(fact.member, []).append(fact)
        return verdict

    def _hear(self, fact: Answer) -> None:
        # While the person is not wholly known, what an id was in is still its own.
        for name in {fact.member, self.root(fact.member)}:
            self.desk.heard(name, fact)

    def _take_part(self, part: Part) -> None:
        if part.journeys:
            self.desk.take_over(part.journeys)
        for fact in self.early.heard.pop(part.member, ()):
            self._hear(fact)
        super()._take_part(part)

    def _allowed(self, name: str, parts: Sequence[Member]) -> dict[ConsentKey, Statement]:
        return self._consents(name, parts)

    def _early(self, name: str) -> Collection[Why]:
        # What others of its ids did may have been seen before this one was one of them.
        found = [self.early.seen.pop(one, ()) for one in sorted(self.group(name))]
        return dict.fromkeys(why for whys in found for why in whys)

    def _since(self, name: str, why: Why) -> int:
        # That ids are one may come to be known long after they were merged.
        return self._merged_at(name) or self.clock if why.cause == "merge" else self.clock

    def _nobody(self, name: str) -> None:
        root = self.root(name)
        if name in self.erased or root in self.erased:
            self.early.seen.pop(name, None)
            self.watch.forget(name)
            # Who is erased hides the others of its person: they may be told apart again.
            forget = self.desk.drop if name in self.erased else self.desk.hide
            forget(name)
        else:
            self.desk.merge(name, root)
