"""The yardstick of the stock flow: expected positions and dead letters of event lines, by a sort.

Two steps, so that it can be seen what depends on what. *Admission* goes through the lines as they
arrive and says which events are in and which lines are dead letters; only the horizon, duplicates
and corrections of the forgotten depend on arrival. *Rows* are then a function of the set of events
that are in: they are sorted by time and summed, and nothing of the arrival is left to look at.

Written from the contract alone: it shares no line with the operators that it judges.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

from schemas.chain import Chain, StockRule
from schemas.envelope import EVENT_STRUCTS
from schemas.instants import HOUR_US, parse_instant
from schemas.movement import MOVEMENT_TYPE, Corrected, Movement, Name, TransferOut

Line = bytes | Mapping[str, Any]
Pair = tuple[str, str]
Identity = tuple[str, str, str]

ON_HAND = {
    "received": 1,
    "sold": -1,
    "restocked": 1,
    "shipped": -1,
    "transfer_out": -1,
    "transfer_in": 1,
    "adjusted": 1,
}
ALLOCATED = {"allocated": 1, "released": -1, "shipped": -1}
QUARANTINED = {"returned": 1, "restocked": -1, "written_off": -1}


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """One event as it was read; two facts are the same only if they are the same line."""

    line: int
    source: str
    id: str
    time: int
    recorded: int
    data: Movement

    @property
    def kind(self) -> str:
        """One of the 13 kinds."""
        return self.data.kind

    @property
    def quantity(self) -> int:
        """Units as written; a correction has none of its own."""
        return 0 if isinstance(self.data, Corrected) else self.data.quantity

    @property
    def identity(self) -> Identity:
        """What makes two events the same event: source and id, within one SKU."""
        return self.data.sku, self.source, self.id

    @property
    def target(self) -> Identity | None:
        """The identity that a correction takes back."""
        if isinstance(self.data, Corrected):
            return self.data.sku, self.source, self.data.corrects
        return None

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The SKU at the places that the event touches."""
        here = (self.data.sku, self.data.place)
        if isinstance(self.data, TransferOut):
            return here, (self.data.sku, self.data.to_place)
        return (here,)

    @property
    def walk_key(self) -> tuple[int, bool, int, str, str]:
        """Order in time; a count comes after the movements of its instant."""
        return self.time, self.kind == "counted", self.recorded, self.source, self.id


@dataclass(frozen=True, slots=True)
class Position:
    """What must stand in `stock_position`, instants in microseconds."""

    sku: str
    place: str
    on_hand: int
    allocated: int
    quarantined: int
    in_transit: int
    available: int
    version: int
    as_of: int


@dataclass(slots=True)
class Expected:
    """What a run over the lines must leave behind.

    `dead_letters` maps the line number to its reason code; `pending` are the lines of corrections
    that still wait for their target; `applied` counts the events inside the rows; `standing` holds
    for each SKU and place the events that were not taken back, in the order of time.
    """

    positions: dict[Pair, Position] = field(default_factory=dict)
    dead_letters: dict[int, str] = field(default_factory=dict)
    standing: dict[Pair, list[Fact]] = field(default_factory=dict)
    pending: set[int] = field(default_factory=set)
    lines: int = 0
    others: int = 0
    duplicates: int = 0
    applied: int = 0


def expect(lines: Iterable[Line], chain: Chain | None = None, now: int | None = None) -> Expected:
    """What these lines, in this order of arrival, must lead to.

    `now` is the processing clock in microseconds; without it nothing lies in the future.
    """
    chain = chain or Chain()
    expected = Expected()
    facts = _read_all(lines, chain, now, expected)
    admission = _Admission(round(chain.stock.horizon_hours * HOUR_US))
    for fact in facts:
        admission.judge(fact, expected)
    corrections = admission.matched(expected)
    _fill_rows(admission.admitted, corrections, chain, expected)
    return expected


def rule_for(chain: Chain, sku: str, place: str) -> StockRule:
    """The first rule of the chain that matches, else the plain one."""
    for rule in chain.stock.rules:
        if fnmatchcase(sku, rule.sku) and fnmatchcase(place, rule.place):
            return rule
    return StockRule()


# --- reading ---------------------------------------------------------------------------------


class _Event(msgspec.Struct, kw_only=True):
    """The envelope with its instants as text, so that a bad time is told from a bad event."""

    specversion: Literal["1.0"]
    id: Name
    source: Name
    time: str
    data: Movement
    subject: str | None = None
    recordedtime: str | None = None
    sequence: str | None = None
    correlationid: str | None = None
    partitionkey: str | None = None


def _read_all(
    lines: Iterable[Line], chain: Chain, now: int | None, expected: Expected
) -> list[Fact]:
    facts = []
    for number, line in enumerate(lines, start=1):
        raw = line if isinstance(line, bytes) else msgspec.json.encode(line)
        if not raw.strip():
            continue
        expected.lines += 1
        fact = _read(number, raw, chain, now)
        if fact is None:
            expected.others += 1
        elif isinstance(fact, str):
            expected.dead_letters[number] = fact
        else:
            facts.append(fact)
    return facts


def _read(number: int, raw: bytes, chain: Chain, now: int | None) -> Fact | str | None:
    """The fact on a line, the reason code of a refusal, or None for what other flows read."""
    try:
        thing = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "not_json"
    event_type = thing.get("type") if isinstance(thing, dict) else None
    if not isinstance(event_type, str):
        return "invalid_event"
    if event_type != MOVEMENT_TYPE:
        return None if event_type in EVENT_STRUCTS else "unknown_type"
    try:
        event = msgspec.json.decode(raw, type=_Event)
    except msgspec.ValidationError:
        return "invalid_event"
    try:
        time = parse_instant(event.time)
        recorded = parse_instant(event.recordedtime) if event.recordedtime is not None else time
    except ValueError:
        return "invalid_time"
    fact = Fact(number, event.source, event.id, time, recorded, event.data)
    if chain.unknown_places == "refuse" and any(p not in chain.places for _, p in fact.pairs):
        return "unknown_place"
    if now is not None and time > now + round(chain.stock.future_hours * HOUR_US):
        return "in_the_future"
    return fact


# --- admission: the only part that looks at the order of arrival ------------------------------


class _Admission:
    """Which events are in. `cutoff` of a fact: what was forgotten at the moment it arrived."""

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self.admitted: list[Fact] = []
        self._cutoff: dict[Fact, int] = {}
        self._newest: dict[str, int] = {}
        self._by_identity: dict[Identity, list[Fact]] = {}

    def judge(self, fact: Fact, expected: Expected) -> None:
        """Admit the fact, or note why not. The horizon is judged before the fact moves it."""
        sku = fact.data.sku
        cutoff = self._newest.get(sku, fact.time) - self.horizon
        known = self._remembered(fact.identity, cutoff)
        if fact.time < cutoff:
            expected.dead_letters[fact.line] = "too_late"
        elif known is not None:
            if (known.time, known.data) == (fact.time, fact.data):
                expected.duplicates += 1
            else:
                expected.dead_letters[fact.line] = "conflicting_duplicate"
        else:
            self.admitted.append(fact)
            self._cutoff[fact] = cutoff
            self._by_identity.setdefault(fact.identity, []).append(fact)
            target = self._remembered(fact.target, cutoff) if fact.target else None
            if target is None or target.kind != "corrected":  # what is refused moves nothing
                self._newest[sku] = max(fact.time, self._newest.get(sku, fact.time))

    def _remembered(self, identity: Identity, cutoff: int) -> Fact | None:
        known = self._by_identity.get(identity)
        return known[-1] if known and known[-1].time >= cutoff else None

    def matched(self, expected: Expected) -> list[tuple[Fact, Fact]]:
        """Corrections with the events that they take back; notes the ones that found none."""
        pairs = []
        for fact in self.admitted:
            if fact.target is None:
                continue
            target = self._first_met(fact)
            if target is not None and target.kind == "corrected":
                expected.dead_letters[fact.line] = "corrects_a_correction"
            elif target is not None:
                pairs.append((fact, target))
            elif fact.time < self._newest[fact.data.sku] - self.horizon:
                expected.dead_letters[fact.line] = "corrects_unknown_event"
            else:
                expected.pending.add(fact.line)
        return pairs

    def _first_met(self, correction: Fact) -> Fact | None:
        """The event it names, if the earlier of the two was not forgotten when the later came."""
        assert correction.target is not None
        for event in self._by_identity.get(correction.target, []):
            earlier, later = sorted((correction, event), key=lambda fact: fact.line)
            if earlier.time >= self._cutoff[later]:
                return event
        return None


# --- rows: a function of the set of events ----------------------------------------------------


def _fill_rows(
    admitted: Iterable[Fact],
    corrections: Collection[tuple[Fact, Fact]],
    chain: Chain,
    expected: Expected,
) -> None:
    taken_back = {target for _, target in corrections}
    touching: dict[Pair, list[Fact]] = {}
    seen_at: dict[Pair, list[int]] = {}
    for fact in admitted:
        if fact.target is None:
            expected.applied += 1
            for pair in fact.pairs:
                touching.setdefault(pair, []).append(fact)
                seen_at.setdefault(pair, []).append(fact.time)
    for correction, target in corrections:
        expected.applied += 1
        for pair in target.pairs:
            seen_at[pair].append(correction.time)
    for pair, facts in sorted(touching.items()):
        standing = sorted((f for f in facts if f not in taken_back), key=lambda f: f.walk_key)
        expected.standing[pair] = standing
        expected.positions[pair] = _position(pair, standing, seen_at[pair], chain)


def _position(pair: Pair, standing: list[Fact], seen_at: list[int], chain: Chain) -> Position:
    here = [fact for fact in standing if fact.pairs[0] == pair]
    counts = [fact for fact in here if fact.kind == "counted"]
    on_hand = _total(ON_HAND, here)
    if counts:  # sorted: the last count is the newest, and everything up to its time is inside it
        on_hand = counts[-1].quantity
        on_hand += _total(ON_HAND, (fact for fact in here if fact.time > counts[-1].time))
    allocated = _total(ALLOCATED, here)
    sent = sum(fact.quantity for fact in standing if fact.pairs[0] != pair)
    arrived = _total({"transfer_in": 1}, here)
    return Position(
        sku=pair[0],
        place=pair[1],
        on_hand=on_hand,
        allocated=allocated,
        quarantined=_total(QUARANTINED, here),
        in_transit=sent - arrived,
        available=on_hand - allocated - rule_for(chain, *pair).floor,
        version=len(seen_at),
        as_of=max(seen_at),
    )


def _total(signs: Mapping[str, int], facts: Iterable[Fact]) -> int:
    return sum(signs.get(fact.kind, 0) * fact.quantity for fact in facts)
