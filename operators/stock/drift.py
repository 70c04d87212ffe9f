"""Whether the log, Redis and the warehouse say the same of one SKU at one place.

The log is the truth: its newest position is what the flow made of all events. The other two are
projections and may lag; a difference is drift when lag cannot explain it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from schemas.gate_pair import GatePair
from schemas.position import Position

View = Literal["redis", "duckdb"]
Kind = Literal[
    "behind", "ahead", "figures", "missing", "unknown", "held", "confirms", "unlisted", "derived"
]
Pair = tuple[str, str]

# What a position says in units; the same version of a pair has the same units everywhere.
UNITS = ("on_hand", "allocated", "quarantined", "in_transit", "held_confirmed_seq", "available")
# What follows from them and from the calendar: a closed day changes these without a new version.
DERIVED = ("pool", "safety_stock", "days_of_cover", "demand_rate", "as_of")
# How finely the times of a pair's positions are kept: in so many parts of the tolerance.
PARTS = 8


class Difference(NamedTuple):
    """One way in which a view differs from the log.

    `units`: by how many units, 1 at least. `at_once`: no lag explains it; otherwise it is drift
    once it has lasted longer than the tolerance. `expected` and `found` are the figures.
    """

    view: View
    kind: Kind
    units: int
    why: str
    expected: dict[str, Any]
    found: dict[str, Any]
    at_once: bool = True

    @property
    def repairable(self) -> bool:
        """Whether the pair can be put right from its position alone."""
        return self.kind not in ("confirms", "unknown")


class _Told:
    """What the log has told of one pair; instants in us."""

    __slots__ = ("changed_at", "due", "position", "recent", "told_at")

    def __init__(self, position: Position, at: int) -> None:
        self.position = position
        self.told_at = at
        # When the units of this version were last told otherwise than before.
        self.changed_at: int | None = None
        self.due = 0
        self.recent: list[tuple[int, int]] = []


class TruthLog:
    """The newest position of every pair, and which version every view should have by now.

    `lag`: how long a view may take to show what the log says, in microseconds.
    """

    def __init__(self, lag: int) -> None:
        self.lag = lag
        self._told: dict[Pair, _Told] = {}

    def __len__(self) -> int:
        return len(self._told)

    def tell(self, position: Position, at: int) -> bool:
        """Take in a position that came onto the log at an instant; whether its pair is new."""
        pair = (position.sku, position.place)
        told = self._told.get(pair)
        if told is None:
            told = self._told[pair] = _Told(position, at)
            told.recent.append((at, position.version))
            return True
        known = told.position
        if position.version < known.version:
            return False
        self._settle(told, at)
        if position.version > known.version:
            told.changed_at = None
            recent = told.recent
            part = max(1, self.lag // PARTS)
            if recent and at // part == recent[-1][0] // part:
                # The younger time for both: a view is given a little more time, never less.
                recent[-1] = (at, position.version)
            else:
                recent.append((at, position.version))
        elif _units(position) != _units(known):
            # After a crash the flow may have read the topics' partitions in another order.
            told.changed_at = at
        told.position, told.told_at = position, at
        return False

    def pairs(self) -> Iterator[Pair]:
        """All pairs, in the order in which they were first told."""
        return iter(self._told)

    def position(self, pair: Pair) -> Position | None:
        """The newest position of a pair."""
        told = self._told.get(pair)
        return None if told is None else told.position

    def due(self, pair: Pair, now: int) -> int:
        """The version that every view must have by now, 0 where none is due yet."""
        told = self._told[pair]
        self._settle(told, now)
        return told.due

    def settled(self, pair: Pair, now: int) -> bool:
        """Whether the newest record of the pair is older than the tolerance."""
        return self._told[pair].told_at <= now - self.lag

    def steady(self, pair: Pair, now: int) -> bool:
        """Whether the log has said one thing only of the newest version for so long."""
        changed_at = self._told[pair].changed_at
        return changed_at is None or changed_at <= now - self.lag

    def _settle(self, told: _Told, now: int) -> None:
        recent = told.recent
        while recent and recent[0][0] <= now - self.lag:
            told.due = recent.pop(0)[1]


def compare(
    log: TruthLog,
    pair: Pair,
    now: int,
    *,
    gate: GatePair | None = None,
    row: Position | None = None,
    with_gate: bool = True,
    with_row: bool = True,
    derived: bool = True,
) -> list[Difference]:
    """How the views that were read differ from the log; the log was read after them.

    `with_gate`, `with_row`: whether that view was read at all. `derived`: whether the log also has
    the newest rates and levels; one that was made from the events alone has not.
    """
    found: list[Difference] = []
    if with_gate:
        found += _gate(log, pair, now, gate)
    if with_row:
        found += _row(log, pair, now, row, derived)
    return found


def _version(
    view: View, log: TruthLog, pair: Pair, now: int, version: int | None, off: int
) -> Difference | None:
    """What the version alone says; `off` is by how many units the view's figures differ."""
    truth = log.position(pair)
    off = max(1, abs(off))
    if truth is None:
        if version is None:
            return None
        why = f"{view} has version {version} of a pair that the log does not know"
        return Difference(view, "unknown", off, why, {}, {"version": version}, at_once=False)
    due = log.due(pair, now)
    expected = {"version": truth.version}
    if version is None:
        why = f"{view} does not have the pair; the log is at version {truth.version}"
        return Difference(view, "missing", off, why, expected, {}) if due else None
    found = {"version": version}
    if version < due:
        why = f"{view} is at version {version}, the log was past {due} long enough ago"
        return Difference(view, "behind", off, why, expected, found)
    if version > truth.version:
        why = f"{view} is at version {version}, the log only at {truth.version}"
        return Difference(view, "ahead", off, why, expected, found, at_once=False)
    return None


def _gate(log: TruthLog, pair: Pair, now: int, gate: GatePair | None) -> Iterator[Difference]:
    truth = log.position(pair)
    version = None if gate is None else gate.version
    off = 0
    if truth is not None:
        promised = 0 if gate is None else gate.on_hand - gate.allocated - gate.floor
        off = promised - truth.available
    wrong = _version("redis", log, pair, now, version, off)
    if wrong is not None:
        yield wrong
    if gate is None:
        return
    if truth is not None and gate.version == truth.version:
        yield from _figures("redis", log, pair, now, _promised(truth), _projected(gate), off)
    if gate.held != gate.units:
        why = f"the counter says {gate.held} held units, the holds themselves have {gate.units}"
        off = abs(gate.held - gate.units)
        yield Difference("redis", "held", off, why, {"held": gate.units}, {"held": gate.held})
    if gate.absorbed_units:
        why = f"{gate.absorbed_units} units of paid holds count although the position has them"
        expected, seen = {"absorbed_units": 0}, {"absorbed_units": gate.absorbed_units}
        yield Difference("redis", "held", gate.absorbed_units, why, expected, seen)
    open_confirms = max(0, gate.hold_seq - gate.absorbed)
    if gate.confirmed != open_confirms and not gate.absorbed_units:
        why = (
            f"{open_confirms} paid holds are numbered beyond the position, {gate.confirmed} are "
            "there: only a rebuild from the log brings them back"
        )
        expected, seen = {"confirmed": open_confirms}, {"confirmed": gate.confirmed}
        off = max(1, abs(open_confirms - gate.confirmed))
        yield Difference("redis", "confirms", off, why, expected, seen)
    if gate.version is not None and not gate.listed:
        why = "the place is not in the SKU's set of places, so no hold finds it"
        yield Difference(
            "redis", "unlisted", max(1, gate.on_hand), why, {"listed": True}, {"listed": False}
        )


def _row(
    log: TruthLog, pair: Pair, now: int, row: Position | None, derived: bool
) -> Iterator[Difference]:
    truth = log.position(pair)
    off = (0 if row is None else row.available) - (0 if truth is None else truth.available)
    wrong = _version("duckdb", log, pair, now, None if row is None else row.version, off)
    if wrong is not None:
        yield wrong
    if row is None or truth is None or row.version != truth.version:
        return
    yield from _figures("duckdb", log, pair, now, _units(truth), _units(row), off)
    if derived and log.settled(pair, now):
        expected = {name: getattr(truth, name) for name in DERIVED}
        seen = {name: getattr(row, name) for name in DERIVED}
        differs = [name for name in DERIVED if expected[name] != seen[name]]
        if differs:
            why = f"duckdb has another {', '.join(differs)} at version {row.version}"
            # The flow may have written the row a moment before the log.
            yield Difference("duckdb", "derived", 1, why, expected, seen, at_once=False)


def _figures(
    view: View,
    log: TruthLog,
    pair: Pair,
    now: int,
    expected: dict[str, int],
    found: dict[str, int],
    off: int,
) -> Iterator[Difference]:
    differs = [name for name in expected if expected[name] != found[name]]
    if differs:
        told = ", ".join(f"{name} {found[name]} not {expected[name]}" for name in differs)
        why = f"{view} has the log's version with other figures: {told}"
        largest = max(abs(off), *(abs(found[name] - expected[name]) for name in differs))
        at_once = log.steady(pair, now)
        yield Difference(view, "figures", largest, why, expected, found, at_once)


def _units(position: Position) -> dict[str, int]:
    return {name: getattr(position, name) for name in UNITS}


def _promised(position: Position) -> dict[str, int]:
    """A position as the gate keeps it."""
    return {
        "on_hand": position.on_hand,
        "allocated": position.allocated,
        "floor": position.on_hand - position.allocated - position.available,
        "absorbed": position.held_confirmed_seq,
    }


def _projected(gate: GatePair) -> dict[str, int]:
    return {name: getattr(gate, name) for name in ("on_hand", "allocated", "floor", "absorbed")}
