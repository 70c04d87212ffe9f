"""Journeys of all members of one shard: who comes in, whose turn it is, what is decided.

What facts bring about is due at their time, and done when time has passed it. So of two journeys
at one instant the more important one goes first, and a purchase at a deadline is in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop
from zoneinfo import ZoneInfo

from operators.journeys.answers import came_to, hear
from operators.journeys.book import Book
from operators.journeys.course import Said, Traveller, go_on, leave, out_by_event, out_by_state
from operators.journeys.gate import Gate
from operators.journeys.identities import Identities
from operators.journeys.program import OnSchedule, Program
from operators.journeys.state import (
    Entered,
    MemberJourneys,
    PackedDesk,
    Run,
)
from operators.journeys.triggers import (
    Turned,
    arm,
    called,
    came,
    held_out,
    may_enter,
    true_already,
)
from operators.journeys.view import Happening, View
from operators.journeys.wall import first_zone
from operators.members.facts import Answer
from operators.members.rules import MemberRules
from schemas.chain import Chain
from schemas.member_events import Origin

# What is told by these has happened long ago, or was told before.
UNHEARD: frozenset[Origin] = frozenset({"backfill", "replay"})
Look = Callable[[str], View | None]


class Desk(Identities):
    """The journeys of one shard; `look` gives a member as it is now, None if it stands for nobody.

    Times are microseconds since 1970. `now` is the latest instant that anybody told. While it
    `holds`, nothing that is due is done: facts of before are still to come.
    """

    def __init__(self, chain: Chain, rules: MemberRules, book: Book, look: Look) -> None:
        self._chain = chain
        self._rules = rules
        self._gate = Gate(chain.journeys)
        self._look = look
        super().__init__(book)
        self.holds = False
        self.turned: dict[str, Turned] = {}

    def saw(self, name: str, view: View, happened: Happening) -> None:
        """Something happened to a member, who is now as in the view."""
        state = self._known(name)
        who = self._traveller(name, state, view)
        for run in list(state.runs):
            program = self.book.program(run.journey, run.version)
            if program is None:
                state.runs.remove(run)
                continue
            why = out_by_event(run, program, view, happened)
            why = why or out_by_state(program, state, view)
            if why is not None:
                self.said.append(leave(who, run, program, why, happened))
            elif run.waiting == happened.kind and happened.time >= run.entered_at:
                came_to(run, program, happened.time)
        if happened.time <= self.now and not self.holds:
            # Where several facts come at once, what was due between them is done between them.
            self._go_on(who, happened.time - 1)
        for program in self.book.current:
            call = called(program, state, view, happened)
            if call is not None:
                told = happened.origin in UNHEARD or happened.origin == "correction"
                if happened.kind == "time":
                    told = happened.origin in UNHEARD
                self._enter(who, program, call.entry, call.time, told=told)
            self._arm(program, who)
        self._queue(name, state)

    def heard(self, name: str, fact: Answer) -> None:
        """Something was heard of a message."""
        state = self.members.get(name)
        if state is not None and hear(state, self.book, fact):
            self._queue(name, state)

    def _enter(
        self, who: Traveller, program: Program, entry: str, time: int, *, told: bool = False
    ) -> None:
        turned = self.turned.get(program.name, Turned())
        if told or who.now - time > program.max_age:
            self.turned[program.name] = turned._replace(stale=turned.stale + 1)
            return
        if not may_enter(program, who.state, who.view, who.now):
            self.turned[program.name] = turned._replace(not_for=turned.not_for + 1)
            return
        before = who.state.entered.get(program.name)
        times = 1 + (before.times if before is not None else 0)
        who.state.entered[program.name] = Entered(times, who.now)
        out = held_out(program, who.name, self._chain.journeys)
        last = who.view.figures.last
        # Not before what else happened at this instant is known, too.
        due = max(time, min(who.view.clock, who.now))
        run = Run(program.name, program.version, entry, who.now, due, last, out)
        who.state.runs.append(run)

    def pump(self, until: int) -> list[Said]:
        """Do everything that is due at `until` or before; what was said since the last call."""
        heap = self._heap
        while heap and heap[0][0] <= until and not self.holds:
            due, name = heappop(heap)
            state = self.members.get(name)
            # What was queued anew, or is forgotten, is left behind in the heap.
            if state is None or state.queued != due:
                continue
            state.queued = 0
            view = self._look(name)
            if view is None:
                continue
            self._turn(self._traveller(name, state, view), until)
            self._queue(name, state)
        said, self.said = self.said, []
        return said

    def _turn(self, who: Traveller, until: int) -> None:
        """Everything of one member that is due, the most important first."""
        for program in self.book.current:
            due = who.state.armed.get(program.name)
            if due is None or due > until:
                continue
            zone = self._zone_of(program, who)
            call = came(program, who.state, who.view, zone, who.now, self._rules)
            if call is not None:
                self._enter(who, program, call.entry, call.time)
        self._go_on(who, until)

    def _go_on(self, who: Traveller, until: int) -> None:
        turns = []
        for run in who.state.runs:
            found = self.book.program(run.journey, run.version)
            if found is not None and run.due <= until:
                turns.append((-found.priority, run.due, run.journey, run, found))
        for _, _, _, run, program in sorted(turns, key=lambda one: one[:3]):
            self.said += go_on(who, run, program, self._gate)

    @property
    def idle(self) -> bool:
        """Whether there are no journeys at all."""
        return not self.book.current and not self.members

    def due(self) -> int | None:
        """When somebody's turn is next."""
        heap = self._heap
        while heap:
            at, name = heap[0]
            state = self.members.get(name)
            if state is not None and state.queued == at:
                return at
            heappop(heap)
        return None

    def publish(self, book: Book, names: Iterable[str]) -> None:
        """Put other files in force; members who are in a journey keep the version they came into.

        `names` are all members: figures that are above their level before a journey first runs
        have not crossed it then.
        """
        before = {one.name: one.trigger for one in self.book.current}
        programs = book.current
        self.book.publish(programs)
        gone = before.keys() - {one.name for one in programs}
        for name in sorted(names):
            view = self._look(name)
            if view is None:
                continue
            state = self._known(name)
            for journey in gone:
                for kept in (state.armed, state.above, state.silent):
                    kept.pop(journey, None)
            who = self._traveller(name, state, view)
            for program in programs:
                # Another text does not let go of what the same trigger has waiting.
                if before.get(program.name) != program.trigger:
                    self._begin(who, program, fresh=program.name not in before)
            self._queue(name, state)

    def _begin(self, who: Traveller, program: Program, *, fresh: bool) -> None:
        state, journey = who.state, program.name
        state.armed.pop(journey, None)
        already = true_already(program, who.view, who.now, self._rules)
        state.above[journey] = already
        last = who.view.figures.last
        if already and last is not None:
            state.silent[journey] = last
        self._arm(program, who)
        if fresh and already and program.enrol_current:
            self._enter(who, program, f"already@{program.version}", who.now)

    def _traveller(self, name: str, state: MemberJourneys, view: View) -> Traveller:
        return Traveller(name, state, view, self._zone(view), self.now)

    def _arm(self, program: Program, who: Traveller) -> None:
        arm(program, who.state, who.view, self._zone_of(program, who), who.now, self._rules)

    def _zone_of(self, program: Program, who: Traveller) -> ZoneInfo:
        """The zone that a schedule goes by."""
        trigger = program.trigger
        if isinstance(trigger, OnSchedule) and trigger.zone == "chain":
            return ZoneInfo(self._chain.timezone)
        return who.zone

    def _zone(self, view: View) -> ZoneInfo:
        """The member's zone; where that is none, the shop's or the chain's."""
        place = self._chain.places.get(view.store or "")
        return first_zone(view.zone, place.timezone if place else None, self._chain.timezone)

    def packed(self) -> PackedDesk:
        """State, and the files that it needs."""
        used = {(run.journey, run.version) for one in self.members.values() for run in one.runs}
        return PackedDesk(self.now, self.book.versions(), self.book.texts(used), self.members)

    def restore(self, packed: PackedDesk) -> None:
        """Take up what `packed` gave, with the files of then."""
        self.now, self.members = packed.now, packed.members
        self.book.restore(packed.current, packed.texts)
        self._heap = [(one.queued, name) for name, one in self.members.items() if one.queued]
        heapify(self._heap)
        self._absorbed = {name: root for root, one in self.members.items() for name in one.absorbed}
