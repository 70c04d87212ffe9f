"""One shard of stores as the engine drives it: facts in, windows out, state to bytes."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush, heapreplace
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from operators.footfall import refusals
from operators.footfall.facts import (
    QUARTER_US,
    FootfallBatch,
    VisitFact,
    join_facts,
    pack_fact,
    split_facts,
    window_of,
)
from operators.footfall.packing import pack_stores, unpack_stores
from operators.footfall.rules import FootfallRules
from operators.footfall.store import DOOR, TILL, Store
from operators.refused import in_the_future
from operators.stock.refusals import Refusal

VERSION = 1
MOST_ROWS_WAITING = 20_000
# How journal entries begin: a batch's facts, a flush, or that time has passed.
FACTS, FLUSHED, TICKED = b"f", b"h", b"t"


class Totals(NamedTuple):
    """What became of the facts of a batch."""

    applied: int = 0
    duplicates: int = 0


class FootfallOutcome(NamedTuple):
    """What a shard hands on: rows of footfall_15m and employee_work_15m, refusals, totals."""

    windows: list[tuple[Any, ...]]
    work: list[tuple[Any, ...]]
    refusals: list[Refusal]
    totals: Totals


_entries = msgspec.msgpack.Decoder(list[bytes])
_ticks = msgspec.msgpack.Decoder(list[tuple[str, int]])
_encode = msgspec.msgpack.Encoder().encode


class FootfallShard:
    """Windows of one shard behind the engine's interface (operators.machine.Machine).

    `journaled`: the engine takes journal entries; otherwise none are kept. `floor`: a number above
    all versions that were ever handed out, where rows may have been that are not in the state (a
    run that was killed). What it said then may have been so for a moment only, so all that can
    still change is handed out once more.
    """

    def __init__(self, rules: FootfallRules, *, journaled: bool = False, floor: int = 0) -> None:
        self._rules = rules
        self._journaled = journaled
        self._floor = floor
        # The floor that what was restored is still to be lifted to, and the last one that it was.
        self._floor_due: int | None = None
        self._lifted: int | None = None
        self._stores: dict[str, Store] = {}
        self._dirty: set[str] = set()
        self._records: list[bytes] = []
        self._ticked: list[tuple[str, int]] = []
        # When which store wants to be told the time; each is in it once or not at all.
        self._heap: list[tuple[int, str]] = []
        self._queued: set[str] = set()
        # A store is idle only when nothing came for a while in this run: what waits to be read
        # after a pause is not late.
        self._awake_since: int | None = None

    def apply(self, batches: Sequence[FootfallBatch], now: int) -> list[FootfallOutcome]:
        """Count facts in, batch by batch; what cannot be counted comes out at once."""
        outcomes = []
        for batch in batches:
            outcome = self._apply(batch, now)
            if outcome.refusals or outcome.totals != Totals():
                outcomes.append(outcome)
        return outcomes

    def _apply(self, batch: FootfallBatch, now: int) -> FootfallOutcome:
        rules, stores = self._rules, self._stores
        latest = now + rules.future
        refused: list[Refusal] = []
        records: list[bytes] = []
        touched: dict[str, Store] = {}
        duplicates = 0
        for fact, position in zip(batch.facts, batch.positions, strict=True):
            where = (batch.origin, position)
            if fact.time > latest:
                refused.append(in_the_future(fact, where, now))
                continue
            store = stores.get(fact.store)
            if store is None:
                if not rules.knows(fact.store):
                    refused.append(refusals.unknown_store(fact, where))
                    continue
                store = stores[fact.store] = Store(fact.store, rules, window_of(fact), self._floor)
            packed = pack_fact(fact)
            verdict = store.take(fact, crc32(packed))
            if verdict == "applied":
                records.append(packed)
                touched[fact.store] = store
            elif verdict == "duplicate":
                duplicates += 1
            elif verdict == "conflict":
                refused.append(refusals.conflicting_duplicate(fact, where))
            elif verdict == "too_late":
                newest = store.newest[DOOR if isinstance(fact, VisitFact) else TILL]
                refused.append(refusals.too_late(fact, where, newest, rules))
            else:
                refused.append(refusals.too_far_apart(fact, where, max(store.newest), rules))
        for name, store in touched.items():
            store.settle()
            store.arrived = now
            self._queue(name, store)
        self._dirty.update(touched)
        if self._journaled and records:
            self._records.append(join_facts(records))
        return FootfallOutcome([], [], refused, Totals(len(records), duplicates))

    def _queue(self, name: str, store: Store) -> None:
        if name not in self._queued:
            due = self._due(store)
            if due is not None:
                self._queued.add(name)
                heappush(self._heap, (due, name))

    def _due(self, store: Store) -> int | None:
        """When the clock may close the store's next window; None while there is none."""
        over = store.closed > store.last + (
            self._rules.silence.history if store.times.has_hours else 0
        )
        if over:
            return None
        idle_since = max(store.arrived, self._awake_since or 0)
        return max((store.closed + 1) * QUARTER_US, idle_since) + self._rules.delay

    def waiting(self) -> bool:
        """Whether rows wait to be flushed."""
        return bool(self._dirty) or self._floor_due is not None

    def full(self) -> bool:
        """Whether so many rows wait that they should not wait for the clock."""
        return sum(len(self._stores[name].dirty) for name in self._dirty) >= MOST_ROWS_WAITING

    def flush(self) -> list[FootfallOutcome]:
        """The rows that have changed since the last flush."""
        due, self._floor_due = self._floor_due, None
        return self._flush(due)

    def _flush(self, lift_to: int | None) -> list[FootfallOutcome]:
        self._lifted = lift_to
        if lift_to is not None:
            self._floor = lift_to
            for store in self._stores.values():
                store.renew(lift_to)
            self._dirty.update(self._stores)
        elif not self._dirty:
            return []
        outcome = FootfallOutcome([], [], [], Totals())
        for name in sorted(self._dirty):
            rows = self._stores[name].take_rows()
            outcome.windows.extend(rows.windows)
            outcome.work.extend(rows.work)
        self._dirty.clear()
        return [outcome]

    def due(self, now: int) -> int | None:
        """When the shard has to be told the time, in microseconds since 1970."""
        if self._awake_since is None:
            self._awake_since = now
            for name, store in self._stores.items():
                self._queue(name, store)
        heap = self._heap
        while heap:
            at, name = heap[0]
            really = self._due(self._stores[name])
            if really == at:
                return at
            if really is None:
                heappop(heap)
                self._queued.discard(name)
            else:
                heapreplace(heap, (really, name))
        return None

    def tick(self, now: int) -> list[FootfallOutcome]:
        """Close what the clock has passed, in stores that have gone quiet."""
        self._ticked = []
        while (at := self.due(now)) is not None and at <= now:
            name = heappop(self._heap)[1]
            self._queued.discard(name)
            store = self._stores[name]
            furthest = store.last + 1
            if store.times.has_hours:
                furthest += self._rules.silence.history
            closed = min((now - self._rules.delay) // QUARTER_US, furthest)
            self._pass_time(name, closed)
            self._ticked.append((name, closed))
            self._queue(name, store)
        return []

    def _pass_time(self, name: str, closed: int) -> None:
        store = self._stores[name]
        store.settle(closed)
        if store.dirty:
            self._dirty.add(name)

    def dump(self) -> tuple[int, bytes]:
        """Version and state."""
        return VERSION, self._floor.to_bytes(8) + pack_stores(self._stores.values())

    def restore(self, version: int, packed: bytes) -> None:
        """Take up the state of a dump.

        Raises:
            ValueError: it was made by another version.
        """
        if version != VERSION:
            msg = f"footfall state of version {version}, this tillflow knows {VERSION}"
            raise ValueError(msg)
        self._floor_due = self._floor or None
        self._floor = int.from_bytes(packed[:8])
        stores = unpack_stores(packed[8:], self._rules, self._floor)
        self._stores = {store.name: store for store in stores}
        self._dirty = {name for name, store in self._stores.items() if store.dirty}

    def journal_entry(self) -> bytes:
        """What `apply` has counted in since the last call, for `replay`."""
        entry = FACTS + _encode(self._records)
        self._records = []
        return entry

    def flush_entry(self) -> bytes:
        """That rows were handed out, and whether all of them were, for `replay`."""
        return FLUSHED if self._lifted is None else FLUSHED + self._lifted.to_bytes(8)

    def tick_entry(self, now: int) -> bytes:
        """Which stores `tick` has told the time, for `replay`."""
        return TICKED + _encode(self._ticked)

    def replay(self, entry: bytes) -> None:
        """Bring about again what a journal entry stands for."""
        kind, rest = entry[:1], entry[1:]
        if kind == FLUSHED:
            self._flush(int.from_bytes(rest) if rest else None)
        elif kind == TICKED:
            for name, closed in _ticks.decode(rest):
                self._pass_time(name, closed)
        else:
            for joined in _entries.decode(rest):
                self._replay(joined)

    def _replay(self, joined: bytes) -> None:
        touched = {}
        for fact in split_facts(joined):
            store = self._stores.get(fact.store)
            if store is None:
                store = Store(fact.store, self._rules, window_of(fact), self._floor)
                self._stores[fact.store] = store
            store.take(fact, crc32(pack_fact(fact)))
            touched[fact.store] = store
        for store in touched.values():
            store.settle()
        self._dirty.update(touched)
