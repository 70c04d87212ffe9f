"""What all shards of members share: time, segments that change with it, rows that wait.

Each member has one next wake-up. A heap holds it, at most once at a time, so that an idle stream
costs nothing and a change by time alone happens at its instant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from operators.members.facts import (
    Fact,
    MemberBatch,
    Thresholds,
    Told,
    pack_told,
    unpack_told,
)
from operators.members.figures import Figures, forget, judge
from operators.members.member import NEVER, Member
from operators.members.outcome import MembersOutcome, Totals
from operators.members.packing import (
    PackedShard,
    Statements,
    pack_members,
    pack_shard,
    unpack_member,
    unpack_shard,
)
from operators.members.rows import Row, Why, transition_row
from operators.members.rules import MemberRules, RulesError
from operators.members.segments import NONE, values
from operators.refused import Where, in_the_future
from operators.stock.refusals import Refusal
from schemas.member_events import Origin

VERSION = 1
MOST_ROWS_WAITING = 20_000
# How journal entries begin: facts, a flush, or that time has passed.
FACTS, FLUSHED, TICKED = b"f", b"h", b"t"


class People(ABC):
    """Members of one shard behind the engine's interface (operators.machine.Machine).

    `journaled`: the engine takes journal entries; otherwise none are kept.
    """

    # Facts that several shards are told and another one counts and refuses.
    counted_elsewhere: tuple[type, ...] = ()

    def __init__(self, rules: MemberRules, *, journaled: bool = False) -> None:
        self.rules = rules
        self.thresholds: Thresholds = rules.thresholds
        self.members: dict[str, Member] = {}
        # Who is forgotten, and whether persons knew them.
        self.erased: dict[str, bool] = {}
        self.links: Statements = {}
        self.clock = 0
        self._journaled = journaled
        self._told: list[Told] = []
        self._flushed: list[Told] = []
        # The thresholds of the file, where what was restored is of others.
        self._anew: Thresholds | None = None
        self._heap: list[tuple[int, str]] = []
        self.dirty: set[str] = set()
        self.out = MembersOutcome([], [], [], [], [])

    @abstractmethod
    def take(self, fact: Fact, where: Where) -> Refusal | str:
        """Take a fact and judge whom it touches: `applied`, `duplicate`, `erased`, `elsewhere`."""

    @abstractmethod
    def parts(self, name: str) -> Sequence[Member] | None:
        """The ids that an id stands for; None while not all of them are known."""

    @abstractmethod
    def row(self, name: str) -> Row | None:
        """The row of a member, None where it is another shard's."""

    def apply(self, batches: Sequence[MemberBatch], now: int) -> list[MembersOutcome]:
        """Take facts in, batch by batch; changes of segment come out at once."""
        outcomes = []
        latest = now + self.rules.future
        for batch in batches:
            accepted: list[Fact] = []
            counts = {"applied": 0, "duplicate": 0, "erased": 0, "elsewhere": 0}
            for fact, position in zip(batch.facts, batch.positions, strict=True):
                where = (batch.origin, position)
                if fact.time > latest:
                    if not isinstance(fact, self.counted_elsewhere):
                        self.out.refusals.append(in_the_future(fact, where, now))
                    continue
                before = self.clock
                self._advance(fact.time, fact.origin)
                verdict = self.take(fact, where)
                if isinstance(verdict, Refusal):
                    self.out.refusals.append(verdict)
                else:
                    counts[verdict] += 1
                    if verdict in ("applied", "elsewhere"):
                        accepted.append(fact)
                        continue
                if self.clock > before:
                    # It is not in the state, but what time has changed is.
                    self._note(fact.time, fact.origin, accepted)
                    accepted = []
            newest = min(batch.newest, latest)
            self._note(newest, batch.newest_origin, accepted)
            self._advance(newest, batch.newest_origin)
            totals = Totals(counts["applied"], counts["duplicate"], counts["erased"])
            out = self._take_out(totals, batch.newest_origin)
            outcomes.append(out._replace(block=batch.block))
        return [one for one in outcomes if any(one[:5]) or one.totals != Totals() or one.block]

    def _note(self, newest: int, origin: Origin, accepted: list[Fact]) -> None:
        if self._journaled and (accepted or newest >= self.clock):
            self._told.append((newest, origin, accepted))

    def _take_out(self, totals: Totals, origin: Origin) -> MembersOutcome:
        out = self.out._replace(totals=totals, newest=self.clock, newest_origin=origin)
        self.out = MembersOutcome([], [], [], [], [])
        return out

    def _advance(self, to: int, origin: Origin) -> None:
        """Let time pass: each change of segment at its instant."""
        heap = self._heap
        while heap and heap[0][0] <= to:
            at, name = heappop(heap)
            member = self.members.get(name)
            # What was queued again, or is forgotten, is left behind in the heap.
            if member is None or member.queued != at:
                continue
            member.queued = NEVER
            self.clock = max(self.clock, at)
            self.settle(name, Why("time", origin, None))
        self.clock = max(self.clock, to)

    def settle(self, name: str, why: Why) -> Figures | None:
        """Judge a member anew, and tell if the segment is another."""
        parts = self.parts(name)
        if parts is None:
            return None
        member = self.members[name]
        for part in parts:
            forget(part, self.clock, self.rules)
        figures = judge(parts, self.clock, self.rules, self.thresholds)
        if figures.segment != member.segment:
            member.number += 1
            row = transition_row(name, member, figures, self.clock, why, self.thresholds)
            self.out.transitions.append(row)
            member.segment = figures.segment
            member.since = 0 if figures.segment == NONE else self.clock
        wake = figures.wake
        if wake is not None and (member.queued == NEVER or wake < member.queued):
            member.queued = wake
            heappush(self._heap, (wake, name))
        self.dirty.add(name)
        return figures

    def figures(self, parts: Sequence[Member]) -> Figures:
        """The figures of a person now, for a row."""
        return judge(parts, self.clock, self.rules, self.thresholds, count_days=True)

    def take_thresholds(self, fact: Thresholds) -> str | None:
        """Judge everybody by other thresholds; None where this version has other figures."""
        known = self.thresholds
        if fact.version < known.version or values(fact) == values(known):
            return "duplicate"
        if fact.version == known.version:
            return None
        self.thresholds = fact
        self._settle_all(Why("thresholds", fact.origin, f"{fact.source} {fact.id}"))
        return "applied"

    def _settle_all(self, why: Why) -> None:
        for name in list(self.members):
            self.settle(name, why)

    def waiting(self) -> bool:
        """Whether rows wait to be flushed."""
        return bool(self.dirty) or self._anew is not None

    def full(self) -> bool:
        """Whether so many rows wait that they should not wait for the clock."""
        return len(self.dirty) >= MOST_ROWS_WAITING

    def flush(self) -> list[MembersOutcome]:
        """The rows of members that have changed since the last flush."""
        self._flushed = []
        if self._anew is not None:
            self._flushed.append((self.clock, "live", [self._anew]))
        return self._flush()

    def _flush(self) -> list[MembersOutcome]:
        anew, self._anew = self._anew, None
        if anew is not None:
            self.thresholds = anew
            self._settle_all(Why("thresholds", "live", None))
        if not self.dirty:
            return []
        found = (self.row(name) for name in sorted(self.dirty))
        self.out.states.extend(row for row in found if row is not None)
        self.dirty.clear()
        return [self._take_out(Totals(), "live")]

    def due(self, now: int) -> int | None:
        """When the next member has to be looked at, in microseconds since 1970."""
        heap = self._heap
        while heap:
            at, name = heap[0]
            member = self.members.get(name)
            if member is not None and member.queued == at:
                return at
            heappop(heap)
        return None

    def tick(self, now: int) -> list[MembersOutcome]:
        """Let time pass on a quiet stream."""
        self._advance(now, "live")
        out = self._take_out(Totals(), "live")
        return [out] if any(out[:5]) else []

    def dump(self) -> tuple[int, bytes]:
        """Version and state."""
        state = PackedShard(
            self.clock,
            self.rules.fingerprint,
            self.thresholds,
            self.erased,
            sorted(self.dirty),
            pack_members(self.members.items()),
            self.links,
        )
        return VERSION, pack_shard(state)

    def restore(self, version: int, packed: bytes) -> None:
        """Take up the state of a dump; where the file has newer rules, all are judged anew.

        Raises:
            ValueError: it was made by another version.
            RulesError: the thresholds of the file are others, under the same version.
        """
        if version != VERSION:
            msg = f"members' state of version {version}, this tillflow knows {VERSION}"
            raise ValueError(msg)
        state = unpack_shard(packed)
        self.clock, self.thresholds = state.clock, state.thresholds
        self.erased, self.links = state.erased, state.links
        self.members = {one.name: unpack_member(one) for one in state.members}
        self.dirty = set(state.dirty)
        self._heap = [(one.queued, name) for name, one in self.members.items() if one.queued]
        heapify(self._heap)
        given = self.rules.thresholds
        if given.version > self.thresholds.version:
            self._anew = given
        elif state.fingerprint != self.rules.fingerprint:
            self._anew = self.thresholds
        elif given.version == self.thresholds.version and values(given) != values(self.thresholds):
            msg = (
                f"members.thresholds has other figures than before, and still version "
                f"{given.version}: raise its version"
            )
            raise RulesError(msg)

    def journal_entry(self) -> bytes:
        """What `apply` has taken in since the last call, for `replay`."""
        entry = FACTS + pack_told(self._told)
        self._told = []
        return entry

    def flush_entry(self) -> bytes:
        """That rows were handed out, for `replay`."""
        return FLUSHED + pack_told(self._flushed)

    def tick_entry(self, now: int) -> bytes:
        """That time has passed, for `replay`."""
        return TICKED + pack_told([(now, "live", [])])

    def replay(self, entry: bytes) -> None:
        """Bring about again what a journal entry stands for."""
        told = unpack_told(entry[1:])
        if entry[:1] == FLUSHED:
            # What the file of today says comes after all that was.
            anew = self._anew
            self._anew = next((one for _, _, (one,) in told if isinstance(one, Thresholds)), None)
            self._flush()
            self._anew = anew
            told = []
        for newest, origin, facts in told:
            for fact in facts:
                self._advance(fact.time, fact.origin)
                self.take(fact, ("", 0))
            self._advance(newest, origin)
        # All of this was handed out; only rows may not have been.
        self.out = MembersOutcome([], [], [], [], [])
