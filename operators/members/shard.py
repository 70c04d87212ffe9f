"""One shard of members as the engine drives it: facts in, segments and rows out.

A member that was ever merged is judged by the one shard of persons (operators.members.persons):
this one keeps what the id did, and hands it on whenever it changes.
"""

from __future__ import annotations

from collections.abc import Sequence

from operators.members import refusals
from operators.members.facts import (
    Answer,
    Consent,
    Erasure,
    Fact,
    Link,
    Part,
    Purchase,
    Refund,
    Registration,
    Thresholds,
)
from operators.members.figures import forget
from operators.members.member import Member
from operators.members.packing import pack_part
from operators.members.people import People
from operators.members.rows import Row, Why, empty_row, state_row
from operators.refused import Where
from operators.stock.refusals import Refusal
from schemas.member_events import Cause

_CAUSES: dict[type, Cause] = {Refund: "refund", Link: "merge"}


class MemberShard(People):
    """The members of one shard, each by its own id."""

    counted_elsewhere = (Link, Thresholds)

    def take(self, fact: Fact, where: Where) -> Refusal | str:
        """Take a fact and judge its member."""
        if isinstance(fact, Thresholds):
            # All shards are told; the one of persons counts and refuses them.
            self.take_thresholds(fact)
            return "elsewhere"
        if isinstance(fact, Erasure):
            return self._erase(fact)
        name = fact.member
        if name in self.erased:
            return self._of_erased(fact, name)
        if isinstance(fact, Purchase | Refund):
            refused = self._refuse(fact, where)
            if refused is not None:
                return refused
        member = self.members.get(name)
        if isinstance(fact, Answer) and (member is None or fact.kind != "opened"):
            # Of journeys alone, and of nobody who is known by nothing else.
            return "applied"
        if member is None:
            member = self.members[name] = Member()
        verdict: str
        if isinstance(fact, Purchase):
            forget(member, self.clock, self.rules)
            verdict = member.buy(fact, self.rules.most)
        elif isinstance(fact, Refund):
            forget(member, self.clock, self.rules)
            verdict = member.give_back(fact, self.rules.most)
        elif isinstance(fact, Consent):
            verdict = member.consent(fact)
        elif isinstance(fact, Registration):
            verdict = member.register(fact)
        elif isinstance(fact, Answer):
            verdict = member.hear(fact)
        else:
            verdict = "elsewhere"
            if member.linked:
                return verdict
            member.linked = True
            self.dirty.discard(name)
        if verdict in ("applied", "elsewhere"):
            self._judge(name, member, fact)
        elif verdict == "conflict":
            return refusals.conflicting_duplicate(fact, where)
        elif verdict == "too_many":
            return refusals.too_many(fact, where, self.rules)
        return verdict

    def _refuse(self, fact: Purchase | Refund, where: Where) -> Refusal | None:
        rules = self.rules
        if fact.time < self.clock - rules.late:
            return refusals.too_late(fact, where, self.clock, rules)
        if fact.currency != rules.currency:
            return refusals.other_currency(fact, where, fact.currency, rules)
        if fact.amount < 0:
            return refusals.unlinked_return(fact, where)
        return None

    def _judge(self, name: str, member: Member, fact: Fact) -> None:
        cause = _CAUSES.get(type(fact), "purchase")
        if member.linked:
            self._hand_on(name, fact, cause, pack_part(member))
        else:
            self.settle(name, Why(cause, fact.origin, f"{fact.source} {fact.id}"))

    def _hand_on(self, name: str, fact: Fact, cause: Cause, packed: bytes) -> None:
        about = (self.clock, fact.source, fact.id, fact.origin)
        self.out.parts.append(Part(*about, name, cause, packed))

    def _erase(self, fact: Erasure) -> str:
        name = fact.member
        if name in self.erased:
            return "duplicate"
        member = self.members.pop(name, None)
        linked = member is not None and member.linked
        self.erased[name] = linked
        if linked:
            self._hand_on(name, fact, "merge", b"")
        else:
            self.dirty.add(name)
            self.out.forget(name)
        return "applied"

    def _of_erased(self, fact: Fact, name: str) -> str:
        """Nothing is kept of what they do, but persons must not wait for their part."""
        if not isinstance(fact, Link):
            return "erased"
        if not self.erased[name]:
            self.erased[name] = True
            self.dirty.discard(name)
            self._hand_on(name, fact, "merge", b"")
        return "elsewhere"

    def parts(self, name: str) -> Sequence[Member] | None:
        """The id alone; None where persons are the judge."""
        member = self.members[name]
        return None if member.linked else (member,)

    def row(self, name: str) -> Row | None:
        """The row of a member."""
        member = self.members.get(name)
        if member is None:
            return empty_row(name, None, self.rules, self.thresholds, linked=False)
        if member.linked:
            return None
        parts = (member,)
        figures = self.figures(parts)
        consents = member.consents or {}
        about = (self.rules, self.thresholds)
        return state_row(name, member, parts, figures, consents, *about)
