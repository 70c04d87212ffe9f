"""Persons of several ids: who counts for whom, and what they come to together.

One shard of its own, for an id may be merged with any other. Each id's own shard hands its part
here whenever it changes, so what a merge unites and what its reversal takes apart are the events
themselves: an unmerged pair is as if it had never been merged.
"""

from __future__ import annotations

from collections.abc import Sequence

from operators.members import refusals
from operators.members.facts import Answer, Fact, Link, Part, Thresholds, hashed
from operators.members.member import ConsentKey, Member, Statement
from operators.members.packing import take_part
from operators.members.people import People
from operators.members.rows import Row, Why, empty_row, state_row
from operators.members.rules import MemberRules
from operators.refused import Where
from operators.stock.refusals import Refusal


class PersonShard(People):
    """All ids that were ever merged, with the persons they are."""

    counted_elsewhere = (Answer,)

    def __init__(self, rules: MemberRules, *, journaled: bool = False) -> None:
        super().__init__(rules, journaled=journaled)
        # Who counts for whom now, both ways; made from the statements.
        self._into: dict[str, str] = {}
        self._from: dict[str, set[str]] = {}

    def take(self, fact: Fact, where: Where) -> Refusal | str:
        """Take a statement on who is whom, thresholds, or the part of an id."""
        if isinstance(fact, Link):
            return self._link(fact, where)
        if isinstance(fact, Thresholds):
            verdict = self.take_thresholds(fact)
            if verdict is None:
                return refusals.conflicting_thresholds(fact, where, fact.version)
            return verdict
        if isinstance(fact, Answer):
            # Counted by the shard of its id.
            return "elsewhere"
        assert isinstance(fact, Part)
        self._take_part(fact)
        return "elsewhere"

    def _take_part(self, part: Part) -> None:
        name = part.member
        member = self._known(name)
        if part.packed:
            take_part(member, part.packed)
        else:
            # Of who is erased, nothing stays but that there is nothing.
            self.erased[name] = True
            self.members[name] = member = Member()
            member.linked = member.here = True
        why = Why(part.cause, part.origin, f"{part.source} {part.id}")
        self._settle(self.group(name), why)

    def _link(self, fact: Link, where: Where) -> Refusal | str:
        name, survivor = fact.member, fact.survivor
        if name == survivor:
            return refusals.merges_itself(fact, where)
        mine = (fact.time, hashed(fact.source, fact.id), fact.merged)
        statements = self.links.setdefault(name, {})
        there = statements.get(survivor)
        if mine == there:
            return "duplicate"
        self._known(name)
        self._known(survivor)
        if there is not None and mine < there:
            return "applied"
        touched = self.group(name) | self.group(survivor)
        statements[survivor] = mine
        self._connect(name)
        touched |= self.group(name)
        cause = Why("merge" if fact.merged else "unmerge", fact.origin, f"{fact.source} {fact.id}")
        self._settle(touched, cause)
        return "applied"

    def _known(self, name: str) -> Member:
        member = self.members.get(name)
        if member is None:
            member = self.members[name] = Member()
            member.linked = True
        return member

    def _connect(self, name: str) -> None:
        before = self._into.pop(name, None)
        if before is not None:
            self._from[before].discard(name)
        # The last merge that was not taken back.
        merges = [(*said, into) for into, said in self.links[name].items() if said[2]]
        if merges:
            survivor = max(merges)[3]
            self._into[name] = survivor
            self._from.setdefault(survivor, set()).add(name)

    def restore(self, version: int, packed: bytes) -> None:
        """Take up the state of a dump."""
        super().restore(version, packed)
        for name in self.links:
            self._connect(name)

    def group(self, name: str) -> set[str]:
        """All ids of the person of an id."""
        found, open_ = {name}, [name]
        while open_:
            one = open_.pop()
            near = set(self._from.get(one, ()))
            if one in self._into:
                near.add(self._into[one])
            open_ += near - found
            found |= near
        return found

    def root(self, name: str) -> str:
        """The id that a person is known by; of a circle the first in the alphabet."""
        path = [name]
        while (into := self._into.get(path[-1])) is not None:
            if into in path:
                return min(path[path.index(into) :])
            path.append(into)
        return path[-1]

    def _settle(self, names: set[str], why: Why) -> None:
        # The one that a person is known by comes last: by then it has what the others brought.
        for name in sorted(names, key=lambda one: (self.root(one) == one, one)):
            self.settle(name, why)
            if name in self.erased or self.root(name) in self.erased:
                self.out.forget(name)

    def parts(self, name: str) -> Sequence[Member] | None:
        """All ids of a person for the one it is known by, none for the others and who is erased."""
        group = self.group(name)
        members = [self.members[one] for one in sorted(group)]
        if not all(one.here for one in members):
            return None
        root = self.root(name)
        return members if name == root and root not in self.erased else ()

    def row(self, name: str) -> Row | None:
        """The row of an id."""
        parts = self.parts(name)
        if parts is None:
            return None
        root = self.root(name)
        about = (self.rules, self.thresholds)
        if name in self.erased or root in self.erased:
            return empty_row(name, None, *about, linked=True)
        if name != root:
            return empty_row(name, root, *about, linked=True)
        figures = self.figures(parts)
        member = self.members[name]
        return state_row(name, member, parts, figures, self._consents(name, parts), *about)

    def _merged_at(self, name: str) -> int:
        """When the last of a person's ids was merged with another."""
        links = ((one, self._into[one]) for one in self.group(name) if one in self._into)
        return max((self.links[one][into][0] for one, into in links), default=0)

    def _consents(self, name: str, parts: Sequence[Member]) -> dict[ConsentKey, Statement]:
        """What all ids said: the strictest, unless somebody spoke after they were merged."""
        merged = self._merged_at(name)
        found: dict[ConsentKey, Statement] = {}
        for part in parts:
            for key, mine in (part.consents or {}).items():
                there = found.get(key)
                if there is None or _rank(mine, merged) > _rank(there, merged):
                    found[key] = mine
        return found


def _rank(statement: Statement, merged: int) -> tuple[bool, int, int, int]:
    time, strict, tie = statement[:3]
    if time > merged:
        return True, time, strict, tie
    return False, strict, time, tie
