"""Takes facts into the state of a shard, one by one, in the order they arrived."""

from __future__ import annotations

from collections.abc import Iterable

from operators.stock.facts import Batch, Fact, Record, Where, identity, identity_key, same_content
from operators.stock.figures import move
from operators.stock.kept_lines import KeptLines
from operators.stock.place import NEVER, PlaceState
from operators.stock.place_log import Changes, all_older, fold, judge_and_note, put, redo
from operators.stock.places import Places
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
from operators.stock.sku import SkuState, Waiting
from schemas.movement import Confirmed, Corrected, TransferOut


class Run:
    """What one batch has brought about so far; `latest`: what is newer is refused."""

    __slots__ = (
        "applied",
        "changes",
        "corrections",
        "duplicates",
        "latest",
        "now",
        "records",
        "refusals",
        "stale",
    )

    def __init__(self, latest: int, now: int | None) -> None:
        self.latest = latest
        self.now = now
        self.stale: list[PlaceState] = []
        self.changes = Changes()
        self.refusals: list[Refusal] = []
        self.records: list[Record] = []
        self.corrections: dict[int, Where] = {}
        self.applied = 0
        self.duplicates = 0


class FactTaker:
    """The SKUs of a shard and what facts do to them; `journaled`: what was taken is noted."""

    def __init__(self, rules: StockRules, *, journaled: bool) -> None:
        self._rules = rules
        self._journaled = journaled
        self._skus: dict[str, SkuState] = {}
        self._kept = KeptLines()
        self._places = Places(rules, self._kept)
        # How far live time has closed business days (microseconds); 0 in a backfill.
        self._rolled_to = 0

    def _take_each(self, batch: Batch, rows: Iterable[int], run: Run) -> None:
        """Take facts one by one, in the order they arrived."""
        skus = self._skus
        horizon = self._rules.horizon
        refuse_unknown = self._rules.refuse_unknown_places
        refusals, latest = run.refusals, run.latest
        for row in rows:
            fact = batch.fact(row)
            if refuse_unknown:
                unknown = self._unknown_place(fact)
                if unknown is not None:
                    refusals.append(unknown_place(fact, batch.where(row), unknown))
                    continue
            movement = fact.movement
            time = fact.time
            sku = skus.get(movement.sku)
            if sku is None:
                sku = SkuState(movement.sku, self._kept)
            newest = sku.newest
            kind = movement.__class__
            if kind is Confirmed:
                if self._is_in(sku, fact):
                    run.duplicates += 1
                    continue
                if time < newest - horizon:
                    # What is paid is claimed, however late the news.
                    time = newest - horizon
                    fact.time = time
            if time < newest - horizon:
                refusals.append(too_late(fact, batch.where(row), newest, horizon))
                continue
            if time > latest:
                refusals.append(in_the_future(fact, batch.where(row), run.now or 0))
                continue
            record = batch.record(row)
            seen = sku.seen
            key = identity_key(fact.source, fact.id)
            if not seen.knows(key):
                seen.newer[key] = record
            else:
                known = seen.find(fact.source, fact.id)
                if known is not None and known.time >= newest - horizon:
                    if same_content(known, fact):
                        run.duplicates += 1
                    else:
                        refusals.append(conflicting_duplicate(fact, batch.where(row), known))
                    continue
                seen.add(fact, record)
            if self._journaled:
                run.records.append(record)
            run.applied += 1
            if kind is Corrected:
                where = batch.where(row)
                if self._journaled:
                    run.corrections[len(run.records) - 1] = where
                if not self._take_back(sku, fact, where, run):
                    run.applied -= 1
                    continue
            else:
                self._advance(sku, fact, record, run)
                if sku.pending:
                    for waiting in sku.pending.pop(identity(fact), ()):
                        sku.settled.append(waiting.correction)
                        self._void(sku, fact, waiting.correction, run)
            if time > newest:
                self._pass_time(sku, time, run)

    def _advance(self, sku: SkuState, fact: Fact, record: Record, run: Run) -> None:
        """Put an accepted fact that is no correction to its place."""
        movement = fact.movement
        state = self._place(sku, movement.place)
        time = fact.time
        if time > state.tip and not state.stale and time >= self._rolled_to:
            # The newest fact of its place, as nearly all are: the figures move on.
            self._places.touched[state.number] = True
            if not state.log:
                sku.active.append(state.number)
                state.oldest = time
            state.log.append(record)
            state.facts += 1
            state.tip = time
            move(state, fact, state.place, state.rule, state.clock)
            if state.on_hand - state.allocated < state.quiet:
                judge_and_note(state, (fact,), run.changes)
        else:
            self._put(sku, state, fact, record, run)
        if isinstance(movement, TransferOut):
            to_place = movement.to_place
            self._put(sku, self._place(sku, to_place), fact, record, run)
        elif isinstance(movement, Confirmed):
            state.held_seq = movement.hold_seq

    def _pass_time(self, sku: SkuState, newest: int, run: Run) -> None:
        """Let a SKU come to the instant of its newest fact."""
        is_new = sku.newest == NEVER
        sku.newest = newest
        if newest > sku.sweep_at:
            if is_new:
                self._skus[sku.name] = sku
            self._sweep(sku, run)

    def _place(self, sku: SkuState, place: str) -> PlaceState:
        """The state of a place, with its figures."""
        number = sku.places.get(place)
        if number is not None:
            there = self._places.states[number]
            return there if there is not None and there.is_out else self._places.out(number)
        state = self._places.new(sku.name, place)
        sku.places[place] = state.number
        return state

    def _put(self, sku: SkuState, state: PlaceState, fact: Fact, record: Record, run: Run) -> None:
        """Put an accepted fact in its turn, whatever it is; the figures are made anew later."""
        self._places.touched[state.number] = True
        if not state.log:
            sku.active.append(state.number)
        state.tip = max(state.tip, fact.time)
        state.log = sku.loosened(state.log)
        put(state, record)
        run.stale.append(state)

    def _unknown_place(self, fact: Fact) -> str | None:
        movement = fact.movement
        if not self._rules.knows(movement.place):
            return movement.place
        if isinstance(movement, TransferOut) and not self._rules.knows(movement.to_place):
            return movement.to_place
        return None

    def _take_back(self, sku: SkuState, correction: Fact, where: Where, run: Run) -> bool:
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

    def _void(self, sku: SkuState, target: Fact, correction: Fact, run: Run) -> None:
        """Have the figures of the places a fact touched made anew without it."""
        sku.take_back(target)
        movement = target.movement
        places = [movement.place]
        if isinstance(movement, TransferOut):
            places.append(movement.to_place)
        for place in places:
            state = self._place(sku, place)
            self._places.touched[state.number] = True
            state.corrections += 1
            state.corrected_at = max(state.corrected_at, correction.time)
            state.stale = True
            run.stale.append(state)

    def _is_in(self, sku: SkuState, fact: Fact) -> bool:
        """Whether a confirmed hold is in the figures: those of a place come by their numbers."""
        movement = fact.movement
        assert isinstance(movement, Confirmed)
        number = sku.places.get(movement.place)
        return number is not None and movement.hold_seq <= self._places.look(number).held_seq

    def _sweep(self, sku: SkuState, run: Run) -> None:
        """Fold what is older than the horizon; a correction nothing came for is refused now."""
        horizon = sku.newest - self._rules.horizon
        left: list[int] = []
        for number in sku.active:
            if self._places.oldest(number) < horizon:
                state = self._places.out(number)
                if state.stale:
                    redo(state, sku.void, self._rolled_to, run.changes)
                if not all_older(state, horizon, self._rolled_to):
                    state.log = sku.loosened(state.log)
                fold(state, horizon, sku.void, self._rolled_to)
                if not state.log:
                    continue
            left.append(number)
        sku.active = left
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
