"""One shard of stock as the engine drives it: batches of facts in, outcomes out, state to bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from operators.stock.changes import StockChanges, Totals
from operators.stock.facts import Batch, Record, Where, join_records, split_records
from operators.stock.ledger import StockLedger
from operators.stock.refusals import Refusal
from operators.stock.rules import StockRules
from operators.stock.told import ToldAlerts

# Rows wait in the ledger for more facts of the same place, but no more of them than this.
MOST_ROWS_WAITING = 50_000
# How the journal entries of a tick and of a flush begin; that of a batch is an array.
TICK = b"tick"
FLUSH = b"flush"


class StockOutcome(NamedTuple):
    """What a shard hands on: rows to write, refusals to keep, totals to add up.

    `positions` is stock_position by column, `alerts` are rows of stock_alert, `withdrawn` ids of
    alerts that never were; instants are microseconds since 1970 UTC. `reservations` are rows of
    reservation: no shard makes them, they come past it.
    """

    positions: list[list[Any]]
    alerts: list[tuple[Any, ...]]
    withdrawn: list[str]
    refusals: list[Refusal]
    totals: Totals
    reservations: Sequence[tuple[Any, ...]] = ()


class StockShard:
    """The stock ledger of one shard behind the engine's interface (operators.machine.Machine).

    `journaled`: the engine takes journal entries; otherwise none are made. `told`: the alerts that
    the warehouse shows at the start.
    """

    def __init__(
        self, rules: StockRules, *, journaled: bool = False, told: ToldAlerts | None = None
    ) -> None:
        self._journaled = journaled
        self._rules = rules
        self._told = told
        self._ledger = StockLedger(rules, told, journaled=journaled)
        self._records: list[Record] = []
        self._wheres: dict[int, Where] = {}

    def apply(self, batches: Sequence[Batch], now: int) -> list[StockOutcome]:
        """Apply batches in order; what must be known at once comes out at once."""
        outcomes = []
        for batch in batches:
            changes = self._ledger.apply(batch, now)
            if self._journaled:
                before = len(self._records)
                self._records.extend(changes.records)
                for at, where in changes.corrections.items():
                    self._wheres[before + at] = where
            outcomes.append(_urgent(changes))
        return outcomes

    def waiting(self) -> bool:
        """Whether rows wait to be flushed."""
        return self._ledger.dirty > 0

    def full(self) -> bool:
        """Whether so many rows wait that they should not wait for the clock."""
        return self._ledger.dirty >= MOST_ROWS_WAITING

    def flush(self) -> list[StockOutcome]:
        """The rows that have changed since the last flush."""
        if not self._ledger.dirty:
            return []
        rows = self._ledger.take_rows()
        return [StockOutcome(rows.positions, rows.alerts, [], [], Totals())]

    def due(self, now: int) -> int | None:
        """When the shard has to be told the time, in microseconds since 1970."""
        return self._ledger.due(now)

    def tick(self, now: int) -> list[StockOutcome]:
        """Tell the shard the time."""
        return [_urgent(self._ledger.tick(now))]

    def dump(self) -> tuple[int, bytes]:
        """Version and state."""
        return self._ledger.dump()

    def restore(self, version: int, packed: bytes) -> None:
        """Take up the state of a dump."""
        self._ledger = StockLedger.restore(
            (version, packed), self._rules, self._told, journaled=self._journaled
        )

    def journal_entry(self) -> bytes:
        """What `apply` has changed since the last call, for `replay`."""
        entry = join_records(self._records, self._wheres)
        self._records, self._wheres = [], {}
        return entry

    def flush_entry(self) -> bytes:
        """That rows were handed out, for `replay`."""
        return FLUSH

    def tick_entry(self, now: int) -> bytes:
        """What `tick` has changed, for `replay`: a time and no facts."""
        return TICK + now.to_bytes(8, "little", signed=True)

    def replay(self, entry: bytes) -> None:
        """Bring about again what a journal entry stands for; what came out then is not repeated."""
        if entry.startswith(TICK):
            self._ledger.tick(int.from_bytes(entry[len(TICK) :], "little", signed=True))
            return
        if entry == FLUSH:
            self._ledger.forget_rows()
            return
        self._ledger.apply(split_records(entry), None)

    @property
    def pairs(self) -> int:
        """How many (sku, place) pairs the shard holds."""
        return self._ledger.pairs


def _urgent(changes: StockChanges) -> StockOutcome:
    return StockOutcome([], *changes[:4])


def empty_outcome(
    refusals: list[Refusal], reservations: Sequence[tuple[Any, ...]] = ()
) -> StockOutcome:
    """What is for no shard: what could not even be read, and rows of holds."""
    return StockOutcome([], [], [], refusals, Totals(), reservations)
