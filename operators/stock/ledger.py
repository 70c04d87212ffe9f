"""The ledger of a shard of SKUs: facts in, in any order; positions, alerts and refusals out.

The state is a function of the set of accepted facts. How far back that holds is the horizon: a
fact may be so much older than the newest of its SKU, and so long duplicates, late counts and
corrections are recognised; what is older is refused rather than guessed at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from operators.stock.facts import Fact, Identity, identity, same_content
from operators.stock.figures import move
from operators.stock.place import (
    NEVER,
    Changes,
    PlaceState,
    SavedPlace,
    fold,
    judge_and_note,
    open_rows,
    put,
    redo,
    roll_on,
)
from operators.stock.positions import position_columns
from operators.stock.refusals import (
    Refusal,
    conflicting_duplicate,
    corrects_a_correction,
    corrects_unknown_event,
    in_the_future,
    too_late,
    unknown_place,
)
from operators.stock.rules import StockRules
from schemas.movement import Corrected, TransferOut

SNAPSHOT_VERSION = 1
FOREVER = 1 << 62


class SavedSku(msgspec.Struct, gc=False, array_like=True):
    """A SKU as a snapshot holds it: corrections that found their event and those that wait."""

    sku: str
    newest: int
    sweep_at: int
    places: list[SavedPlace]
    settled: list[Fact]
    pending: list[Fact]
    void: list[tuple[str, str]]


class SavedShard(msgspec.Struct, array_like=True):
    """A shard as a snapshot holds it."""

    rules: int
    rolled_to: int
    skus: list[SavedSku]
    dirty: list[tuple[str, str]]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SavedShard)


class Totals(msgspec.Struct, gc=False, array_like=True):
    """What a batch of facts came to."""

    applied: int = 0
    duplicates: int = 0
    raised: int = 0
    cleared: int = 0


class StockChanges(NamedTuple):
    """What a batch changed, save for positions, which are taken when there are enough of them.

    `alerts`: rows of stock_alert (instants in us) that were raised or cleared, `withdrawn`: ids of
    alerts that a late fact shows to never have been, `refusals`: facts that were not accepted.
    """

    alerts: list[tuple[Any, ...]]
    withdrawn: list[str]
    refusals: list[Refusal]
    totals: Totals


class StockRows(NamedTuple):
    """Rows that have changed since they were last taken.

    `positions`: rows of stock_position column by column, `alerts`: rows of the alerts that are
    open at these places (instants in us).
    """

    positions: list[list[Any]]
    alerts: list[tuple[Any, ...]]


class _Sku:
    """One SKU over all places."""

    __slots__ = (
        "active",
        "name",
        "newest",
        "pending",
        "places",
        "seen",
        "settled",
        "sweep_at",
        "twins",
        "void",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.newest = NEVER
        self.sweep_at = NEVER
        self.places: dict[str, PlaceState] = {}
        # Places with facts in the window: a sweep needs no others.
        self.active: list[PlaceState] = []
        # Every fact of the window by its id; `twins` has those whose id another source used first.
        # Ids are mostly unique over sources, and a key of its own for each would cost as much
        # memory as the fact.
        self.seen: dict[str, Fact] = {}
        self.twins: dict[Identity, Fact] = {}
        # Facts that were taken back.
        self.void: set[Identity] = set()
        # Corrections whose fact has not come yet, by the identity they name.
        self.pending: dict[Identity, list[Fact]] = {}
        # Corrections that found their fact.
        self.settled: list[Fact] = []

    def known(self, source: str, event_id: str) -> Fact | None:
        """The fact of the window with this identity."""
        fact = self.seen.get(event_id)
        if fact is not None and fact.source == source:
            return fact
        return self.twins.get((source, event_id))

    def remember(self, fact: Fact) -> None:
        """Know the fact again by its identity."""
        first = self.seen.setdefault(fact.id, fact)
        if first is not fact:
            if first.source == fact.source:
                self.seen[fact.id] = fact
            else:
                self.twins[(fact.source, fact.id)] = fact

    def forget(self, fact: Fact) -> None:
        """Know the fact no more; another one that has taken its identity stays."""
        if self.seen.get(fact.id) is fact:
            del self.seen[fact.id]
        elif self.twins.get((fact.source, fact.id)) is fact:
            del self.twins[(fact.source, fact.id)]


class _Run:
    """What one batch has brought about so far."""

    __slots__ = ("changes", "refusals", "stale")

    def __init__(self) -> None:
        self.stale: list[PlaceState] = []
        self.changes = Changes()
        self.refusals: list[Refusal] = []


class StockLedger:
    """The stock state of one shard of SKUs, as a pure state machine."""

    def __init__(self, rules: StockRules) -> None:
        self._rules = rules
        self._skus: dict[str, _Sku] = {}
        # Places whose rows have changed since rows were last taken.
        self._dirty: list[PlaceState] = []
        # How far live time has closed business days (microseconds); 0 in a backfill.
        self._rolled_to = 0

    def apply(self, facts: Sequence[Fact], now: int | None) -> StockChanges:
        """Apply facts in the order they arrived.

        `now` is the clock in microseconds since 1970: a fact too far ahead of it is refused, since
        it would make everything after it look late. None judges no fact by the clock.
        """
        skus = self._skus
        horizon = self._rules.horizon
        latest = FOREVER if now is None else now + self._rules.future
        refuse_unknown = self._rules.refuse_unknown_places
        add = self._add
        run = _Run()
        refusals = run.refusals
        applied = duplicates = 0
        for fact in facts:
            movement = fact.movement
            time = fact.time
            sku = skus.get(movement.sku)
            if sku is None:
                sku = _Sku(movement.sku)
            reach = sku.newest - horizon
            if time < reach:
                refusals.append(too_late(fact, sku.newest, horizon))
                continue
            first = known = sku.seen.get(fact.id)
            if first is not None or sku.twins:
                known = sku.known(fact.source, fact.id)
            if known is not None and known.time >= reach:
                if same_content(known, fact):
                    duplicates += 1
                else:
                    refusals.append(conflicting_duplicate(fact, known))
                continue
            newer = time > sku.newest
            if newer and time > latest:
                refusals.append(in_the_future(fact, now or 0))
                continue
            if refuse_unknown:
                unknown = self._unknown_place(fact)
                if unknown is not None:
                    refusals.append(unknown_place(fact, unknown))
                    continue
            kind = movement.__class__
            if kind is Corrected:
                if not self._take_back(sku, fact, run):
                    continue
            else:
                if first is None:
                    sku.seen[fact.id] = fact
                else:
                    sku.remember(fact)
                # One copy of a name for all facts of the window, not one for each.
                movement.sku = sku.name
                state = sku.places.get(movement.place)
                if state is None:
                    state = self._new_place(sku, movement.place)
                movement.place = state.place
                add(sku, state, fact, run)
                if kind is TransferOut:
                    to_place = movement.to_place
                    assert to_place is not None
                    add(sku, sku.places.get(to_place) or self._new_place(sku, to_place), fact, run)
                if sku.pending:
                    for correction in sku.pending.pop((fact.source, fact.id), ()):
                        sku.settled.append(correction)
                        self._void(sku, fact, correction, run)
            applied += 1
            if newer:
                sku.newest = time
                if time > sku.sweep_at:
                    if sku.sweep_at == NEVER:
                        skus[sku.name] = sku
                    self._sweep(sku, run)
        changes = run.changes
        for state in run.stale:
            if state.stale:
                redo(state, skus[state.sku].void, self._rolled_to, changes)
        totals = Totals(applied, duplicates, changes.raised, changes.cleared)
        return StockChanges(
            list(changes.rows.values()), sorted(changes.withdrawn), refusals, totals
        )

    def _new_place(self, sku: _Sku, place: str) -> PlaceState:
        state = sku.places[place] = PlaceState(sku.name, place, self._rules)
        return state

    def _add(self, sku: _Sku, state: PlaceState, fact: Fact, run: _Run) -> None:
        """Add an accepted fact to a place: move on where it is the newest, else in its turn."""
        if not state.dirty:
            state.dirty = True
            self._dirty.append(state)
        state.version += 1
        log = state.log
        if not log:
            sku.active.append(state)
        time = fact.time
        if time <= state.tip:
            put(state, fact)
            run.stale.append(state)
            return
        state.tip = time
        log.append(fact)
        if state.stale:
            return
        figures = state.figures
        move(figures, fact, state.place, state.rule, state.clock)
        if figures.on_hand - figures.allocated < figures.quiet:
            judge_and_note(state, (fact,), run.changes)

    def _unknown_place(self, fact: Fact) -> str | None:
        movement = fact.movement
        if not self._rules.knows(movement.place):
            return movement.place
        if isinstance(movement, TransferOut) and not self._rules.knows(movement.to_place):
            return movement.to_place
        return None

    def _take_back(self, sku: _Sku, correction: Fact, run: _Run) -> bool:
        """Take back the fact a correction names, or keep the correction until that fact comes.

        Says whether the correction was accepted.
        """
        movement = correction.movement
        assert isinstance(movement, Corrected)
        named = (correction.source, movement.corrects)
        target = sku.known(*named)
        if target is not None and target.time < sku.newest - self._rules.horizon:
            target = None
        itself = movement.corrects == correction.id
        if itself or (target is not None and isinstance(target.movement, Corrected)):
            run.refusals.append(corrects_a_correction(correction))
            return False
        # What came first and names this one corrects a correction: only now is that known.
        for wrong in sku.pending.pop(identity(correction), ()):
            run.refusals.append(corrects_a_correction(wrong))
            sku.forget(wrong)
        movement.sku = sku.name
        sku.remember(correction)
        if target is None:
            sku.pending.setdefault(named, []).append(correction)
        else:
            sku.settled.append(correction)
            self._void(sku, target, correction, run)
        return True

    def _void(self, sku: _Sku, target: Fact, correction: Fact, run: _Run) -> None:
        """Have the figures of the places a fact touched made anew without it."""
        sku.void.add(identity(target))
        movement = target.movement
        places = [movement.place]
        if isinstance(movement, TransferOut):
            places.append(movement.to_place)
        for place in places:
            state = sku.places[place]
            self._touch(state)
            state.version += 1
            state.corrected_at = max(state.corrected_at, correction.time)
            state.stale = True
            run.stale.append(state)

    def _touch(self, state: PlaceState) -> None:
        if not state.dirty:
            state.dirty = True
            self._dirty.append(state)

    def _sweep(self, sku: _Sku, run: _Run) -> None:
        """Fold what is older than the horizon; a correction nothing came for is refused now."""
        # Four sweeps a horizon keep the window at most a quarter longer than it has to be.
        sku.sweep_at = sku.newest + (self._rules.horizon >> 2)
        horizon = sku.newest - self._rules.horizon
        for state in sku.active:
            if state.stale:
                redo(state, sku.void, self._rolled_to, run.changes)
            fold(state, horizon, sku.void, sku.forget)
        sku.active = [state for state in sku.active if state.log]
        sku.void = {gone for gone in sku.void if sku.known(*gone) is not None}
        for correction in [known for known in sku.settled if known.time < horizon]:
            sku.settled.remove(correction)
            sku.forget(correction)
        for named, waiting in list(sku.pending.items()):
            for correction in [known for known in waiting if known.time < horizon]:
                waiting.remove(correction)
                sku.forget(correction)
                run.refusals.append(corrects_unknown_event(correction, self._rules.horizon))
            if not waiting:
                del sku.pending[named]

    def due(self, now: int) -> int | None:
        """When `tick` is next needed: the end of the earliest business day now open, in us."""
        if not self._skus:
            return None
        places = ("", *self._rules.chain.places)
        return min(self._rules.day_clock(place).day_of(now)[1] for place in places)

    def tick(self, now: int) -> StockChanges:
        """Let live time pass: close business days, so that rates, cover and levels move on time."""
        self._rolled_to = now
        changes = Changes()
        for sku in self._skus.values():
            for state in sku.places.values():
                if roll_on(state, now, changes):
                    self._touch(state)
        totals = Totals(raised=changes.raised, cleared=changes.cleared)
        return StockChanges(list(changes.rows.values()), [], [], totals)

    @property
    def dirty(self) -> int:
        """How many rows have changed since rows were last taken."""
        return len(self._dirty)

    def take_rows(self) -> StockRows:
        """The rows that have changed since the last call; they count as handed over."""
        taken, self._dirty = self._dirty, []
        alerts: list[tuple[Any, ...]] = []
        for state in taken:
            state.dirty = False
            figures = state.figures
            if figures.shortage is not None or figures.record is not None:
                alerts.extend(open_rows(state))
        return StockRows(position_columns(taken), alerts)

    @property
    def pairs(self) -> int:
        """How many (sku, place) pairs the state holds."""
        return sum(len(sku.places) for sku in self._skus.values())

    def dump(self) -> tuple[int, bytes]:
        """Version and whole state, as MessagePack of plain arrays."""
        skus = [
            SavedSku(
                sku.name,
                sku.newest,
                sku.sweep_at,
                [state.dump() for state in sku.places.values()],
                sku.settled,
                [correction for waiting in sku.pending.values() for correction in waiting],
                sorted(sku.void),
            )
            for sku in self._skus.values()
        ]
        dirty = [(state.sku, state.place) for state in self._dirty]
        saved = SavedShard(self._rules.fingerprint, self._rolled_to, skus, dirty)
        return (SNAPSHOT_VERSION, _ENCODER.encode(saved))

    @classmethod
    def restore(cls, dumped: tuple[int, bytes], rules: StockRules) -> StockLedger:
        """The ledger a dump held, under the rules of today.

        Raises:
            ValueError: the dump is of a version this code does not read.
        """
        version, packed = dumped
        if version != SNAPSHOT_VERSION:
            msg = (
                f"stock snapshot has version {version}, this tillflow reads {SNAPSHOT_VERSION}: "
                "run the version that wrote it, or start with an empty recovery folder"
            )
            raise ValueError(msg)
        saved = _DECODER.decode(packed)
        same_rules = saved.rules == rules.fingerprint
        ledger = cls(rules)
        ledger._rolled_to = saved.rolled_to
        for kept in saved.skus:
            ledger._skus[kept.sku] = _restore_sku(kept, rules, same_rules)
        for sku, name in saved.dirty:
            ledger._touch(ledger._skus[sku].places[name])
        return ledger


def _restore_sku(kept: SavedSku, rules: StockRules, same_rules: bool) -> _Sku:
    sku = _Sku(kept.sku)
    sku.newest = kept.newest
    sku.sweep_at = kept.sweep_at
    for place in kept.places:
        state = PlaceState.restore(sku.name, place, rules, same_rules)
        sku.places[state.place] = state
        if state.log:
            sku.active.append(state)
        for fact in state.log:
            movement = fact.movement
            movement.sku = sku.name
            if movement.place == state.place:
                movement.place = state.place
                sku.remember(fact)
    sku.settled = kept.settled
    for correction in (*kept.settled, *kept.pending):
        sku.remember(correction)
    for correction in kept.pending:
        movement = correction.movement
        assert isinstance(movement, Corrected)
        named = (correction.source, movement.corrects)
        sku.pending.setdefault(named, []).append(correction)
    sku.void = set(kept.void)
    return sku
