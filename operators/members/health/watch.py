"""The health of the members of one shard as they live: told when its band changes, also by time.

A member is judged at its own newest event, and again when its band changes because nothing happens.
So what a row says does not depend on when anybody looked, and an idle stream costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from math import ceil
from typing import NamedTuple

import msgspec

from operators.members.figures import kept_of
from operators.members.health.history import ENGAGED, History, decayed, history
from operators.members.health.model import (
    HealthModel,
    band,
    chance,
    from_json,
    health,
    to_json,
)
from operators.members.health.quiet import changes_band
from operators.members.member import Member
from operators.members.rows import UNKNOWN, Shown
from operators.members.rules import MemberRules
from schemas.instants import DAY_US, SECOND_US
from schemas.member_events import Cause, Origin

# A member whose band does not change for so long is looked at then: two years.
FAR = 730 * DAY_US
# Causes by which nobody did anything.
UNMOVED: tuple[Cause, ...] = ("time", "thresholds")


class Stand(msgspec.Struct, array_like=True, gc=False):
    """A member's band, the instant it was judged at, and when time alone next changes it."""

    band: str
    at: int
    turns: int


class Turn(NamedTuple):
    """A member's band has become another; `before` is None for the first one."""

    member: str
    changed_at: int
    before: str | None
    after: str
    score: int
    model: str
    cause: Cause
    origin: Origin
    event: str | None


class PackedWatch(msgspec.Struct, array_like=True):
    """The model in force as its file, and where members stand by it."""

    model: bytes
    stands: dict[str, Stand]


def history_of(parts: Sequence[Member], at: int, rules: MemberRules) -> History | None:
    """What the health of a person is judged by at an instant; None without a purchase.

    A day with purchases counts from its midnight, as the fit of the model counts days. Of what is
    forgotten (beyond the longest window and `late_days`) the days are left, and not the amounts.
    """
    kept = kept_of(parts, rules)
    days: dict[int, int] = {}
    for time, net in zip(kept.times, kept.nets, strict=True):
        if time <= at:
            begin = rules.begin_of(time)
            days[begin] = days.get(begin, 0) + net
    past = [one.past for one in parts if one.past is not None]
    engaged = _engaged(parts, at, rules)
    returned = 1 - sum(kept.nets) / kept.paid if kept.paid else 0.0
    found = history(
        ((begin / DAY_US, float(net)) for begin, net in days.items()),
        at / DAY_US,
        engaged=engaged,
        returned=returned,
    )
    if not past:
        return found
    first = rules.begin_of(min(one[1] for one in past)) / DAY_US
    more = sum(one[0] for one in past)
    if found is None:
        last = rules.begin_of(max(one[2] for one in past)) / DAY_US
        return History(more - 1, last - first, at / DAY_US - first, 0.0, 0.0, engaged, returned)
    began = min(first, at / DAY_US - found.age)
    return History(
        found.repeats + more,
        at / DAY_US - found.silence - began,
        at / DAY_US - began,
        found.short,
        found.long,
        engaged,
        returned,
    )


def _engaged(parts: Sequence[Member], at: int, rules: MemberRules) -> float:
    """Messages that were opened, decayed; the same one under several ids of a person is one."""
    opened: dict[int, int] = {}
    for part in parts:
        held = part.opened
        for spot in range(0, 0 if held is None else len(held), 2):
            assert held is not None
            opened[held[spot + 1]] = min(held[spot], opened.get(held[spot + 1], held[spot]))
    days = ((at - rules.begin_of(time)) / DAY_US for time in opened.values() if time <= at)
    return sum(decayed(1.0, each, ENGAGED) for each in days)


def score_of(
    model: HealthModel | None, parts: Sequence[Member], at: int, rules: MemberRules
) -> int | None:
    """0 to 100 at an instant; None without a model or a purchase."""
    if model is None:
        return None
    one = history_of(parts, at, rules)
    return None if one is None else round(100 * chance(model, one))


class Watch:
    """Bands of all members of a shard; `model` is the one in force, None for none."""

    def __init__(self, rules: MemberRules) -> None:
        self._rules = rules
        self.model: HealthModel | None = None
        self.stands: dict[str, Stand] = {}
        self.told: list[Turn] = []
        self._heap: list[tuple[int, str]] = []

    def judge(
        self,
        name: str,
        parts: Sequence[Member],
        clock: int,
        cause: Cause,
        origin: Origin,
        event: str | None,
    ) -> None:
        """Judge a member as it is at `clock`, after something happened or time has passed."""
        model = self.model
        newest = max((one.newest for one in parts if one.newest is not None), default=None)
        before = self.stands.get(name)
        if before is not None and cause in UNMOVED:
            # Nothing was done, so all is as it was but for time; that is known up to here.
            if clock < before.turns:
                return
            newest = before.turns
        if model is None or newest is None:
            self.drop(name)
            return
        at = min(newest, clock)
        one = history_of(parts, at, self._rules)
        if one is None:
            self.drop(name)
            return
        turns = self._turns(model, one, at)
        while turns <= clock:
            # Known late: what time has done since then it has done already.
            at, later = turns, history_of(parts, turns, self._rules)
            one = later or one
            turns = self._turns(model, one, at)
        found = chance(model, one)
        stand = Stand(band(model, found), at, turns)
        self.stands[name] = stand
        if before is None or before.turns != turns:
            heappush(self._heap, (turns, name))
        if before is None or before.band != stand.band:
            was = None if before is None else before.band
            turn = Turn(
                member=name,
                changed_at=at if cause == "time" else clock,
                before=was,
                after=stand.band,
                score=round(100 * found),
                model=model.version,
                cause=cause,
                origin=origin,
                event=event,
            )
            self.told.append(turn)

    @staticmethod
    def _turns(model: HealthModel, one: History, at: int) -> int:
        """When the band changes by time alone: a whole second, so that it has changed by then."""
        days = changes_band(model, one)
        if days is None:
            return at + FAR
        return max(ceil((at + days * DAY_US) / SECOND_US), at // SECOND_US + 1) * SECOND_US

    def due(self) -> int | None:
        """When the next band changes by time alone."""
        heap = self._heap
        while heap:
            at, name = heap[0]
            stand = self.stands.get(name)
            if stand is not None and stand.turns == at:
                return at
            heappop(heap)
        return None

    def came(self, until: int) -> tuple[int, str] | None:
        """The first whose time has come by `until`, and when."""
        at = self.due()
        return None if at is None or at > until else heappop(self._heap)

    def drop(self, name: str) -> None:
        """A member is another shard's, or there is nothing to judge it by."""
        self.stands.pop(name, None)

    def forget(self, name: str) -> None:
        """Forget a member, and what was to be told of it."""
        self.drop(name)
        self.told = [one for one in self.told if one.member != name]

    def take_told(self) -> list[Turn]:
        """What has been told since the last call."""
        told, self.told = self.told, []
        return told

    def shown(self, name: str, parts: Sequence[Member]) -> Shown:
        """What the row of a member says."""
        stand, model = self.stands.get(name), self.model
        if stand is None or model is None:
            return UNKNOWN
        one = history_of(parts, stand.at, self._rules)
        if one is None:
            return UNKNOWN
        found = health(model, one)
        drivers = [{"odds": round(each.odds, 3), "why": each.words} for each in found.drivers]
        text = msgspec.json.encode(drivers).decode()
        return found.score, stand.band, text, stand.at, stand.turns, model.version

    def put_in_force(self, model: HealthModel | None) -> None:
        """Take another model; all members are to be judged anew."""
        self.model, self._heap = model, []
        self.stands = {}

    def packed(self) -> PackedWatch:
        """State, for a dump."""
        return PackedWatch(self.packed_model(), self.stands)

    def packed_model(self) -> bytes:
        """The model in force as its file; nothing without one."""
        return b"" if self.model is None else to_json(self.model)

    def restore(self, packed: PackedWatch) -> None:
        """Take up what `packed` gave."""
        self.model = from_json(packed.model) if packed.model else None
        self.stands = packed.stands
        self._heap = [(one.turns, name) for name, one in self.stands.items()]
        heapify(self._heap)
