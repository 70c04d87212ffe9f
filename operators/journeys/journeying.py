"""People with their journeys, as both kinds of shards have them: one state, one journal.

Journeys are judged where the member is, so that caps, consents and figures are read and a message
is decided in one step that nobody comes between.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from operators.journeys.book import Book
from operators.journeys.course import Said
from operators.journeys.decisions import Decision, Moved
from operators.journeys.desk import Desk
from operators.journeys.entries import (
    APPLIED,
    FLUSHED,
    OURS,
    TICKED,
    VERSION,
    Early,
    Entry,
    State,
    pack_entry,
    pack_state,
    unpack_entry,
    unpack_state,
)
from operators.journeys.program import Program
from operators.journeys.state import pack_desk, unpack_desk
from operators.journeys.view import View, happening_of, view_of
from operators.members.facts import MemberBatch
from operators.members.figures import Figures, judge
from operators.members.health.model import HealthModel, from_json
from operators.members.health.watch import Watch
from operators.members.member import ConsentKey, Member, Statement
from operators.members.outcome import MembersOutcome
from operators.members.people import VERSION as WITHOUT_JOURNEYS
from operators.members.people import People
from operators.members.rows import Row, Why, with_health
from operators.members.rules import MemberRules
from schemas.chain import Chain
from schemas.member_events import Cause, Origin

# Causes by which an event of a member comes.
OF_SOMEBODY: tuple[Cause, ...] = ("purchase", "refund")


class Rules(NamedTuple):
    """All that shards with journeys share."""

    chain: Chain
    members: MemberRules
    programs: tuple[Program, ...]
    health: HealthModel | None = None


class Journeying(People):
    """People whose every change is seen by a desk of journeys.

    `awaits`: parts of the source, and other shards, that must have read up before time acts on its
    own: what was due while nothing ran is judged by all that has happened since.
    """

    def __init__(
        self, rules: Rules, *, journaled: bool = False, awaits: Collection[str] = ()
    ) -> None:
        super().__init__(rules.members, journaled=journaled)
        self._awaits = set(awaits)
        self._chain = rules.chain
        self.desk = Desk(rules.chain, rules.members, Book(rules.chain), self._look)
        self.desk.holds = bool(self._awaits)
        self.early = Early({}, {})
        # Files that are not in force yet, and those that no journal entry has told yet.
        self._given: tuple[Program, ...] | None = rules.programs
        self._published = False
        self.watch = Watch(rules.members)
        self._given_health: HealthModel | None = rules.health
        self._health_is_given = True
        self._health_published = False

    def settle(self, name: str, why: Why) -> Figures | None:
        """Judge a member anew, and let its journeys know."""
        before = self.members[name].segment
        figures = super().settle(name, why)
        if figures is None:
            self.watch.drop(name)
            if why.event is not None and why.cause in OF_SOMEBODY:
                self.early.seen.setdefault(name, []).append(why)
            return None
        parts = self.parts(name)
        if not parts:
            self.watch.drop(name)
            self._nobody(name)
            return figures
        early = self._early(name) if self.early.seen else ()
        if self.watch.model is not None:
            self.watch.judge(name, parts, self.clock, why.cause, why.origin, why.event)
        if self.desk.idle:
            return figures
        view = self._view(name, parts, figures)
        for earlier in early:
            self._saw(name, view, earlier, (before, before))
        self._saw(name, view, why, (before, self.members[name].segment))
        return figures

    def _saw(self, name: str, view: View, why: Why, segments: tuple[int, int]) -> None:
        about = (view.parts, why.cause, why.origin, why.event, self._since(name, why), segments)
        self.desk.saw(name, view, happening_of(*about))

    def _since(self, name: str, why: Why) -> int:
        """When something happened that has no time of its own."""
        return self.clock

    def _early(self, name: str) -> Collection[Why]:
        """What was seen of one who stands for itself before all of it was known."""
        return self.early.seen.pop(name, ())

    def _nobody(self, name: str) -> None:
        """The id stands for nobody any more."""
        self.desk.drop(name)

    def _view(self, name: str, parts: Sequence[Member], figures: Figures) -> View:
        about = (self.clock, self.rules, self.watch.model)
        return view_of(parts, figures, self._allowed(name, parts), *about)

    def _allowed(self, name: str, parts: Sequence[Member]) -> dict[ConsentKey, Statement]:
        return self.members[name].consents or {}

    def _look(self, name: str) -> View | None:
        if name not in self.members:
            return None
        parts = self.parts(name)
        if not parts:
            return None
        return self._view(name, parts, judge(parts, self.clock, self.rules, self.thresholds))

    def _advance(self, to: int, origin: Origin) -> None:
        """Let time pass: each change of segment, and of health, at its instant."""
        while (came := self.watch.came(to)) is not None:
            at, name = came
            super()._advance(at, origin)
            parts = self.parts(name) if name in self.members else None
            if parts:
                self.watch.judge(name, parts, max(at, self.clock), "time", origin, None)
                self.dirty.add(name)
        super()._advance(to, origin)

    def row(self, name: str) -> Row | None:
        """The row of a member, with its health."""
        row = super().row(name)  # type: ignore[safe-super]
        if row is None or name not in self.watch.stands:
            return row
        return with_health(row, self.watch.shown(name, self.parts(name) or ()))

    def apply(self, batches: Sequence[MemberBatch], now: int) -> list[MembersOutcome]:
        """Take facts in, and do what is due before the newest of them."""
        for batch in batches:
            if batch.journeys is not None:
                self.put_in_force(batch.journeys)
        self._begin(now)
        outcomes = super().apply(batches, now)
        outcomes += self._acted(min(self.clock - 1, self.desk.now))
        if self._awaits:
            # All of these batches were taken without what may come in between.
            self._awaits.difference_update(batch.read_up for batch in batches)
            if not self._awaits:
                outcomes.append(MembersOutcome([], [], [], [], [], read_up=True))
        return outcomes

    def tick(self, now: int) -> list[MembersOutcome]:
        """Let time pass on a quiet stream."""
        self._begin(now)
        outcomes = super().tick(now)
        return outcomes + self._acted(now)

    def flush(self) -> list[MembersOutcome]:
        """The rows that have changed, and what is due by the time of the events."""
        outcomes = super().flush()
        return outcomes + self._acted(min(self.clock, self.desk.now))

    def due(self, now: int) -> int | None:
        """When somebody has to be looked at, or somebody's turn is."""
        if self._awaits:
            return None
        found = (super().due(now), self.desk.due(), self.watch.due())
        times = [one for one in found if one is not None]
        return min(times, default=None)

    def put_in_force(self, programs: tuple[Program, ...]) -> None:
        """Let these journeys begin with the next instant that is told."""
        self._given = programs

    def _begin(self, now: int) -> None:
        self.desk.now = max(self.desk.now, now)
        self.desk.holds = bool(self._awaits)
        if self._health_is_given:
            self._health_is_given = False
            if self._given_health != self.watch.model:
                self._judge_by(self._given_health)
                self._health_published = True
        given, self._given = self._given, None
        if given is None:
            return
        if {one.name: one.version for one in given} != self.desk.book.versions():
            self._publish(Book(self._chain, given))
            self._published = True

    def _publish(self, book: Book) -> None:
        self.desk.publish(book, self.members)

    def _judge_by(self, model: HealthModel | None) -> None:
        """Judge all by another model; that is nothing that anybody did, so it is not told."""
        self.watch.put_in_force(model)
        for name in self.members:
            parts = self.parts(name)
            if parts:
                self.watch.judge(name, parts, self.clock, "thresholds", "live", None)
                self.dirty.add(name)
        self.watch.take_told()

    def _acted(self, until: int) -> list[MembersOutcome]:
        said: list[Said] = self.desk.pump(until)
        turns = self.watch.take_told()
        if not said and not turns:
            return []
        decisions = [one for one in said if isinstance(one, Decision)]
        runs = [one for one in said if isinstance(one, Moved)]
        out = MembersOutcome([], [], [], [], [], newest=self.clock)
        return [out._replace(decisions=decisions, runs=runs, turns=turns)]

    def dump(self) -> tuple[int, bytes]:
        """Version and state."""
        desk = pack_desk(self.desk.packed())
        people = super().dump()[1]
        return VERSION, pack_state(State(people, desk, self.watch.packed(), self.early))

    def restore(self, version: int, packed: bytes) -> None:
        """Take up the state of a dump, also of one that knew no journeys."""
        if version == WITHOUT_JOURNEYS:
            super().restore(version, packed)
            return
        state = unpack_state(version, packed)
        if state.watch is not None:
            self.watch.restore(state.watch)
        super().restore(WITHOUT_JOURNEYS, state.people)
        self.desk.restore(unpack_desk(state.desk))
        self.early = state.early

    def journal_entry(self) -> bytes:
        """What `apply` has taken in since the last call, for `replay`."""
        return self._told_as(APPLIED, self.desk.now, super().journal_entry())

    def flush_entry(self) -> bytes:
        """That rows were handed out, for `replay`."""
        return self._told_as(FLUSHED, self.desk.now, super().flush_entry())

    def tick_entry(self, now: int) -> bytes:
        """That time has passed, for `replay`."""
        return self._told_as(TICKED, now, super().tick_entry(now))

    def _told_as(self, kind: int, now: int, inner: bytes) -> bytes:
        published, self._published = self._published, False
        book = self.desk.book
        current = book.versions() if published else None
        texts = book.texts(set()) if published else {}
        given, self._health_published = self._health_published, False
        health = self.watch.packed_model() if given else None
        holds = self.desk.holds
        return OURS + pack_entry(Entry(kind, now, current, texts, inner, health, holds))

    def replay(self, entry: bytes) -> None:
        """Bring about again what a journal entry stands for."""
        if entry[:1] != OURS:
            super().replay(entry)
            return
        told = unpack_entry(entry[1:])
        self.desk.now = max(self.desk.now, told.now)
        self.desk.holds = told.holds
        if told.current is not None:
            book = Book(self._chain)
            book.restore(told.current, told.texts)
            self._publish(book)
        if told.health is not None:
            self._judge_by(from_json(told.health) if told.health else None)
        super().replay(told.inner)
        early = 1 if told.kind == APPLIED else 0
        until = told.now if told.kind == TICKED else min(self.clock - early, self.desk.now)
        # What came of it was handed out.
        self.desk.pump(until)
        self.watch.take_told()
        self.desk.holds = bool(self._awaits)
