"""The ledger of a shard of SKUs: facts in, in any order; positions, alerts and refusals out.

The state is a function of the set of accepted facts. How far back that holds is the horizon: a
fact may be so much older than the newest of its SKU, and so long duplicates, late counts and
corrections are recognised; what is older is refused rather than guessed at.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from operators.stock.changes import StockChanges, StockRows, Totals
from operators.stock.facts import Batch
from operators.stock.kept_lines import MOST_LINES
from operators.stock.lines import LineBatch
from operators.stock.place_log import Changes, open_rows, redo, roll_on
from operators.stock.places import COLUMN
from operators.stock.positions import position_columns
from operators.stock.rules import StockRules
from operators.stock.sku import SavedSku, SkuState
from operators.stock.taking import Run
from operators.stock.taking_lines import LineTaker
from operators.stock.told import ToldAlerts

SNAPSHOT_VERSION = 2
FOREVER = 1 << 62


class SavedShard(msgspec.Struct, array_like=True):
    """A shard as a snapshot holds it."""

    rules: int
    rolled_to: int
    skus: list[SavedSku]
    dirty: list[tuple[str, str]]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SavedShard)


class StockLedger(LineTaker):
    """The stock state of one shard of SKUs, as a pure state machine.

    `told`: the alerts that the warehouse shows at the start. `journaled`: changes say what was
    taken.
    """

    def __init__(
        self, rules: StockRules, told: ToldAlerts | None = None, *, journaled: bool = False
    ) -> None:
        super().__init__(rules, journaled=journaled)
        self._told = ToldAlerts() if told is None else told
        self._judged_told = False

    def apply(self, batch: Batch, now: int | None) -> StockChanges:
        """Apply facts in the order they arrived.

        `now` is the clock in microseconds since 1970: a fact too far ahead of it is refused, since
        it would make everything after it look late. None judges no fact by the clock.
        """
        run = Run(FOREVER if now is None else now + self._rules.future, now)
        if self._told and now is not None and not self._judged_told:
            self._judge_told_at_start(run.changes)
        if (
            isinstance(batch, LineBatch)
            and batch.end < MOST_LINES
            and not self._rules.refuse_unknown_places
        ):
            self._take_groups(batch, run)
        else:
            self._take_each(batch, batch.rows(), run)
        for kept in self._kept.thin():
            for number in kept.holders:
                self._places.relog(number, self._skus[self._places.skus[number]].loosened)
            self._kept.forget(kept)
        changes = run.changes
        for state in run.stale:
            if state.stale:
                redo(state, self._skus[state.sku].void, self._rolled_to, changes)
        if self._told and now is not None:
            self._judge_told(batch, changes)
        totals = Totals(run.applied, run.duplicates, changes.raised, changes.cleared)
        return StockChanges(
            list(changes.rows.values()),
            sorted(changes.withdrawn),
            run.refusals,
            totals,
            run.records,
            run.corrections,
        )

    def _judge_told_at_start(self, changes: Changes) -> None:
        self._judged_told = True
        for sku in self._skus.values():
            if self._told.of(sku.name):
                horizon = sku.newest - self._rules.horizon
                changes.withdrawn.update(self._told.at_start(sku, horizon, self._places))

    def _judge_told(self, batch: Batch, changes: Changes) -> None:
        for name in batch.sku_names():
            if self._told.of(name) and name in self._skus:
                sku = self._skus[name]
                changes.withdrawn.update(self._told.after(sku, changes.rows, self._places))

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
        places = self._places
        ends = places.cells[: len(places), COLUMN["day_end"]]
        may_end = places.is_out[: len(places)] | ((ends > 0) & (ends <= now))
        for number in np.flatnonzero(may_end).tolist():
            if roll_on(places.out(number), now, changes):
                places.touched[number] = True
        totals = Totals(raised=changes.raised, cleared=changes.cleared)
        return StockChanges(list(changes.rows.values()), [], [], totals, [], {})

    @property
    def dirty(self) -> int:
        """How many rows have changed since rows were last taken."""
        return int(np.count_nonzero(self._places.touched))

    def forget_rows(self) -> None:
        """Count the rows that have changed as handed over, without making them."""
        self._places.touched[:] = False

    def take_rows(self) -> StockRows:
        """The rows that have changed since the last call; they count as handed over."""
        places = self._places
        numbers = places.take_touched()
        alerts: list[tuple[Any, ...]] = []
        for number in numbers.tolist():
            state = places.states[number]
            if state is not None and (state.shortage is not None or state.record is not None):
                alerts.extend(open_rows(state))
        return StockRows(position_columns(places, numbers, self._rules), alerts)

    @property
    def pairs(self) -> int:
        """How many (sku, place) pairs the state holds."""
        return len(self._places)

    def dump(self) -> tuple[int, bytes]:
        """Version and whole state, as MessagePack of plain arrays."""
        places = self._places
        skus = [sku.dump(places) for sku in self._skus.values()]
        touched = places.touched.tolist()
        dirty = [
            (sku.name, place)
            for sku in self._skus.values()
            for place, number in sku.places.items()
            if touched[number]
        ]
        saved = SavedShard(self._rules.fingerprint, self._rolled_to, skus, dirty)
        return (SNAPSHOT_VERSION, _ENCODER.encode(saved))

    @classmethod
    def restore(
        cls,
        dumped: tuple[int, bytes],
        rules: StockRules,
        told: ToldAlerts | None = None,
        *,
        journaled: bool = False,
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
        ledger = cls(rules, told, journaled=journaled)
        ledger._rolled_to = saved.rolled_to
        for kept in saved.skus:
            ledger._skus[kept.sku] = SkuState.restore(
                kept, rules, same_rules, ledger._kept, ledger._places
            )
        for sku, name in saved.dirty:
            ledger._places.touched[ledger._skus[sku].places[name]] = True
        return ledger
