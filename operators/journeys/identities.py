"""What journeys remember of the ids of persons: brought together, taken apart, forgotten."""

from __future__ import annotations

from heapq import heappush

from operators.journeys.book import Book
from operators.journeys.course import Said
from operators.journeys.decisions import moved
from operators.journeys.state import (
    MemberJourneys,
    PackedDesk,
    Run,
    pack_desk,
    unite,
    unpack_desk,
)
from operators.journeys.triggers import had_already


class Identities:
    """Members of one shard by id, and who of them has brought what to whom."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.now = 0
        self.members: dict[str, MemberJourneys] = {}
        self.said: list[Said] = []
        self._heap: list[tuple[int, str]] = []
        self._absorbed: dict[str, str] = {}

    def drop(self, name: str) -> None:
        """Forget a member, and what it has brought to another; others get back what they had."""
        state = self.members.pop(name, None)
        for one, (entered, sent) in state.absorbed.items() if state is not None else ():
            self._absorbed.pop(one, None)
            self.members.setdefault(one, MemberJourneys(entered=dict(entered), sent=list(sent)))
        root = self.members.get(self._absorbed.pop(name, ""))
        if root is not None:
            root.absorbed.pop(name, None)
        self.said = [one for one in self.said if one.member != name]

    def hide(self, name: str) -> None:
        """End all journeys of an id that is not to be seen; what it has had stays known."""
        state = self.members.get(name)
        if state is not None:
            state.runs, state.armed = [], {}
            self._queue(name, state)
        self.said = [one for one in self.said if one.member != name]

    def merge(self, name: str, into: str) -> None:
        """Make what one id was in that of the person it is now."""
        other = self.members.pop(name, None)
        if other is None:
            return
        state = self._known(into)
        brought, there = list(other.runs), list(state.runs)
        theirs, ours = self._not_had(other, state), self._not_had(state, other)
        other.runs, state.runs = theirs, ours
        unite(state, other, name)
        gone = [(name, run) for run in brought]
        gone += [(into, run) for run in there if run not in state.runs]
        self.said += [one for who, run in gone for one in self._moved(who, run, "merged")]
        stay = [run for run in state.runs if run in brought]
        self.said += [one for run in stay for one in self._moved(into, run, "")]
        # With it comes what others have brought to it, who may have been this one.
        state.absorbed.pop(into, None)
        self._absorbed |= dict.fromkeys(state.absorbed, into)
        self._queue(into, state)

    def _not_had(self, one: MemberJourneys, other: MemberJourneys) -> list[Run]:
        """The runs of one that may go on though both are one person."""
        programs = ((run, self.book.program(run.journey, run.version)) for run in one.runs)
        return [run for run, each in programs if each is None or not had_already(each, run, other)]

    def _moved(self, name: str, run: Run, reason: str) -> list[Said]:
        program = self.book.program(run.journey, run.version)
        return [] if program is None else [moved(name, run, program, self.now, reason)]

    def hand_over(self, name: str) -> bytes:
        """What there is of a member, for another shard; it is no more in this one."""
        state = self.members.pop(name, None)
        if state is None:
            return b""
        used = {(run.journey, run.version) for run in state.runs}
        return pack_desk(PackedDesk(self.now, {}, self.book.texts(used), {name: state}))

    def take_over(self, packed: bytes) -> None:
        """Take what another shard has handed over."""
        given = unpack_desk(packed)
        self.book.learn(given.texts)
        for name, state in given.members.items():
            if name not in self.members:
                self.members[name] = state
                state.queued = 0
                self._queue(name, state)

    def _known(self, name: str) -> MemberJourneys:
        state = self.members.get(name)
        if state is None:
            state = self.members[name] = MemberJourneys()
            # One who is alone again does not get for a second time what both had.
            root = self.members.get(self._absorbed.pop(name, ""))
            if root is not None and name in root.absorbed:
                entered, sent = root.absorbed.pop(name)
                state.entered, state.sent = dict(entered), list(sent)
        return state

    def _queue(self, name: str, state: MemberJourneys) -> None:
        if state.empty():
            self.members.pop(name, None)
            return
        wake = state.wake()
        if wake is None:
            state.queued = 0
        elif wake != state.queued:
            state.queued = wake
            heappush(self._heap, (wake, name))
