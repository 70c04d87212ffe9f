"""The ledger of a shard of SKUs: facts in, in any order; positions, alerts and refusals out.

The state is a function of the set of accepted facts. How far back that holds is the horizon: a
fact may be so much older than the newest of its SKU, and so long duplicates, late counts and
corrections are recognised; what is older is refused rather than guessed at.
"""

from __future__ import annotations

from typing import Any

import msgspec

from operators.stock.changes import StockChanges, StockRows, Totals
from operators.stock.facts import (
    Batch,
    Fact,
    Record,
    Where,
    identity,
    pack_fact,
    same_content,
)
from operators.stock.figures import move
from operators.stock.place import (
    CLEAN,
    DIRTY,
    NEVER,
    STALE,
    Changes,
    PlaceState,
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
from operators.stock.sku import SavedSku, SkuState, Waiting
from operators.stock.told import ToldAlerts
from schemas.movement import Confirmed, Corrected, TransferOut

SNAPSHOT_VERSION = 1
# Kinds that do more than change the figures of their place.
_MORE_TO_DO = frozenset({TransferOut, Confirmed})
FOREVER = 1 << 62


class SavedShard(msgspec.Struct, array_like=True):
    """A shard as a snapshot holds it."""

    rules: int
    rolled_to: int
    skus: list[SavedSku]
    dirty: list[tuple[str, str]]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SavedShard)


class _Run:
    """What one batch has brought about so far."""

    __slots__ = ("changes", "records", "refusals", "stale")

    def __init__(self) -> None:
        self.stale: list[PlaceState] = []
        self.changes = Changes()
        self.refusals: list[Refusal] = []
        self.records: list[Record] = []


class StockLedger:
    """The stock state of one shard of SKUs, as a pure state machine."""

    def __init__(self, rules: StockRules, told: ToldAlerts | None = None) -> None:
        self._rules = rules
        self._told = ToldAlerts() if told is None else told
        self._judged_told = False
        self._skus: dict[str, SkuState] = {}
        # Places whose rows have changed since rows were last taken.
        self._dirty: list[PlaceState] = []
        # How far live time has closed business days (microseconds); 0 in a backfill.
        self._rolled_to = 0

    def apply(self, batch: Batch, now: int | None) -> StockChanges:
        """Apply facts in the order they arrived.

        `now` is the clock in microseconds since 1970: a fact too far ahead of it is refused, since
        it would make everything after it look late. None judges no fact by the clock.
        """
        skus = self._skus
        horizon = self._rules.horizon
        latest = FOREVER if now is None else now + self._rules.future
        refuse_unknown = self._rules.refuse_unknown_places
        dirty = self._dirty
        rolled_to = self._rolled_to
        run = _Run()
        refusals = run.refusals
        records = run.records
        corrections: dict[int, Where] = {}
        duplicates = unsettled = 0
        if self._told and now is not None and not self._judged_told:
            self._judge_told_at_start(run.changes)
        # The loop runs for every movement of the chain: what is rare is left to methods.
        for at, fact in enumerate(batch.facts):
            if refuse_unknown:
                unknown = self._unknown_place(fact)
                if unknown is not None:
                    refusals.append(unknown_place(fact, _where(batch, at), unknown))
                    continue
            movement = fact.movement
            time = fact.time
            sku = skus.get(movement.sku)
            if sku is None:
                sku = SkuState(movement.sku)
            newest = sku.newest
            kind = movement.__class__
            if kind is Confirmed:
                if _is_in(sku, fact):
                    duplicates += 1
                    continue
                if time < newest - horizon:
                    # What is paid is claimed, however late the news.
                    time = newest - horizon
                    fact.time = time
            if time < newest - horizon:
                refusals.append(too_late(fact, _where(batch, at), newest, horizon))
                continue
            if time > latest:
                refusals.append(in_the_future(fact, _where(batch, at), now or 0))
                continue
            record = pack_fact(fact)
            seen = sku.seen
            key = hash((fact.source, fact.id))
            if key not in seen.newer and key not in seen.older:
                seen.newer[key] = record
            else:
                known = seen.find(fact.source, fact.id)
                if known is not None and known.time >= newest - horizon:
                    if same_content(known, fact):
                        duplicates += 1
                    else:
                        refusals.append(conflicting_duplicate(fact, _where(batch, at), known))
                    continue
                seen.add(fact, record)
            records.append(record)
            if kind is Corrected:
                where = corrections[len(records) - 1] = _where(batch, at)
                if not self._take_back(sku, fact, where, run):
                    unsettled += 1
                    continue
            else:
                state = sku.places.get(movement.place)
                if state is None:
                    state = self._new_place(sku, movement.place)
                if time > state.tip and state.todo != STALE and time >= rolled_to:
                    # The newest fact of its place, as nearly all are: the figures move on.
                    if state.todo == CLEAN:
                        state.todo = DIRTY
                        dirty.append(state)
                    if not state.log:
                        sku.active.append(state)
                        state.oldest = time
                    state.log.append(record)
                    state.tip = time
                    move(state, fact, state.place, state.rule, state.clock)
                    if state.on_hand - state.allocated < state.quiet:
                        judge_and_note(state, (fact,), run.changes)
                else:
                    self._put(sku, state, fact, record, run)
                if kind in _MORE_TO_DO:
                    if isinstance(movement, TransferOut):
                        to_place = movement.to_place
                        target = sku.places.get(to_place) or self._new_place(sku, to_place)
                        self._put(sku, target, fact, record, run)
                    elif isinstance(movement, Confirmed):
                        state.held_seq = movement.hold_seq
                if sku.pending:
                    for waiting in sku.pending.pop(identity(fact), ()):
                        sku.settled.append(waiting.correction)
                        self._void(sku, fact, waiting.correction, run)
            if time > newest:
                sku.newest = time
                if time > sku.sweep_at:
                    if newest == NEVER:
                        skus[sku.name] = sku
                    self._sweep(sku, run)
        changes = run.changes
        for state in run.stale:
            if state.todo == STALE:
                redo(state, skus[state.sku].void, self._rolled_to, changes)
        if self._told and now is not None:
            self._judge_told(batch, changes)
        applied = len(records) - unsettled
        totals = Totals(applied, duplicates, changes.raised, changes.cleared)
        return StockChanges(
            list(changes.rows.values()),
            sorted(changes.withdrawn),
            refusals,
            totals,
            records,
            corrections,
        )

    def _judge_told_at_start(self, changes: Changes) -> None:
        self._judged_told = True
        for sku in self._skus.values():
            if self._told.of(sku.name):
                horizon = sku.newest - self._rules.horizon
                changes.withdrawn.update(self._told.at_start(sku, horizon))

    def _judge_told(self, batch: Batch, changes: Changes) -> None:
        for name in {fact.movement.sku for fact in batch.facts}:
            if self._told.of(name) and name in self._skus:
                changes.withdrawn.update(self._told.after(self._skus[name], changes.rows))

    def _new_place(self, sku: SkuState, place: str) -> PlaceState:
        state = sku.places[place] = PlaceState(sku.name, place, self._rules)
        return state

    def _put(self, sku: SkuState, state: PlaceState, fact: Fact, record: Record, run: _Run) -> None:
        """Put an accepted fact in its turn, whatever it is; the figures are made anew later."""
        self._touch(state)
        if not state.log:
            sku.active.append(state)
        state.tip = max(state.tip, fact.time)
        put(state, record)
        run.stale.append(state)

    def _unknown_place(self, fact: Fact) -> str | None:
        movement = fact.movement
        if not self._rules.knows(movement.place):
            return movement.place
        if isinstance(movement, TransferOut) and not self._rules.knows(movement.to_place):
            return movement.to_place
        return None

    def _take_back(self, sku: SkuState, correction: Fact, where: Where, run: _Run) -> bool:
        """Take back the fact a correction names, or keep the correction until that fact comes.

        Says whether the correction was accepted. A refused one stays known: a repeat of it is a
        duplicate, and nothing can take it back.
        """
        movement = correction.movement
        assert isinstance(movement, Corrected)
        # What came first and names this one corrects a correction: only now is that known.
        for wrong in sku.pending.pop(identity(correction), ()):
            run.refusals.append(corrects_a_correction(wrong.correction, wrong.where))
            sku.settled.append(wrong.correction)
        named = (correction.source, movement.corrects)
        target = sku.seen.find(*named)
        if target is not None and target.time < sku.newest - self._rules.horizon:
            target = None
        if target is not None and isinstance(target.movement, Corrected):
            run.refusals.append(corrects_a_correction(correction, where))
            sku.settled.append(correction)
            return False
        if target is None:
            sku.pending.setdefault(named, []).append(Waiting(correction, *where))
            # The sweep that refuses it comes with the first event that leaves it behind.
            sku.sweep_at = min(sku.sweep_at, correction.time + self._rules.horizon)
        else:
            sku.settled.append(correction)
            self._void(sku, target, correction, run)
        return True

    def _void(self, sku: SkuState, target: Fact, correction: Fact, run: _Run) -> None:
        """Have the figures of the places a fact touched made anew without it."""
        sku.take_back(target)
        movement = target.movement
        places = [movement.place]
        if isinstance(movement, TransferOut):
            places.append(movement.to_place)
        for place in places:
            state = sku.places[place]
            self._touch(state)
            state.corrections += 1
            state.corrected_at = max(state.corrected_at, correction.time)
            state.todo = STALE
            run.stale.append(state)

    def _touch(self, state: PlaceState) -> None:
        if state.todo == CLEAN:
            state.todo = DIRTY
            self._dirty.append(state)

    def _sweep(self, sku: SkuState, run: _Run) -> None:
        """Fold what is older than the horizon; a correction nothing came for is refused now."""
        horizon = sku.newest - self._rules.horizon
        for state in sku.active:
            if state.oldest < horizon:
                if state.todo == STALE:
                    redo(state, sku.void, self._rolled_to, run.changes)
                fold(state, horizon, sku.void, self._rolled_to)
        sku.active = [state for state in sku.active if state.log]
        sku.seen.turn(sku.newest, self._rules.horizon)
        if sku.settled or sku.void or sku.pending:
            for waiting in sku.forget_before(horizon):
                run.refusals.append(
                    corrects_unknown_event(waiting.correction, waiting.where, self._rules.horizon)
                )
        # Four sweeps a horizon keep the window at most a quarter longer than it has to be.
        sku.sweep_at = sku.newest + (self._rules.horizon >> 2)
        for several in sku.pending.values():
            for waiting in several:
                due = waiting.correction.time + self._rules.horizon
                sku.sweep_at = min(sku.sweep_at, due)

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
        return StockChanges(list(changes.rows.values()), [], [], totals, [], {})

    @property
    def dirty(self) -> int:
        """How many rows have changed since rows were last taken."""
        return len(self._dirty)

    def forget_rows(self) -> None:
        """Count the rows that have changed as handed over, without making them."""
        for state in self._dirty:
            state.todo = CLEAN
        self._dirty = []

    def take_rows(self) -> StockRows:
        """The rows that have changed since the last call; they count as handed over."""
        taken, self._dirty = self._dirty, []
        alerts: list[tuple[Any, ...]] = []
        for state in taken:
            state.todo = CLEAN
            if state.shortage is not None or state.record is not None:
                alerts.extend(open_rows(state))
        return StockRows(position_columns(taken), alerts)

    @property
    def pairs(self) -> int:
        """How many (sku, place) pairs the state holds."""
        return sum(len(sku.places) for sku in self._skus.values())

    def dump(self) -> tuple[int, bytes]:
        """Version and whole state, as MessagePack of plain arrays."""
        skus = [sku.dump() for sku in self._skus.values()]
        dirty = [(state.sku, state.place) for state in self._dirty]
        saved = SavedShard(self._rules.fingerprint, self._rolled_to, skus, dirty)
        return (SNAPSHOT_VERSION, _ENCODER.encode(saved))

    @classmethod
    def restore(
        cls, dumped: tuple[int, bytes], rules: StockRules, told: ToldAlerts | None = None
    ) -> StockLedger:
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
        ledger = cls(rules, told)
        ledger._rolled_to = saved.rolled_to
        for kept in saved.skus:
            ledger._skus[kept.sku] = SkuState.restore(kept, rules, same_rules)
        for sku, name in saved.dirty:
            ledger._touch(ledger._skus[sku].places[name])
        return ledger


def _is_in(sku: SkuState, fact: Fact) -> bool:
    """Whether a confirmed hold is in the figures: holds of a place come in the order of numbers."""
    movement = fact.movement
    assert isinstance(movement, Confirmed)
    state = sku.places.get(movement.place)
    return state is not None and movement.hold_seq <= state.held_seq


def _where(batch: Batch, at: int) -> Where:
    if batch.wheres is not None:
        return batch.wheres[at]
    return Where(batch.origin, batch.positions[at])
