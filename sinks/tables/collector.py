"""Collects outcomes of a flow and writes them to the warehouse with the run's diary."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar

from operators.stock.decode import BlockRead
from operators.stock.refusals import Refusal
from schemas.tables import Table
from schemas.warehouse import DEAD_LETTER, FLOW_RUN
from sinks.kafka.events import DeadRecord
from sinks.warehouse.address import Target
from sinks.warehouse.client import Warehouse
from sinks.warehouse.rows import dead_letter_rows
from sinks.warehouse.runs import Counts, Run, run_rows
from sinks.warehouse.tuple_rows import newest_rows
from sinks.warehouse.writer import SERVED_ROWS, WRITE_EVERY_SECONDS

# As many rows are written before their time.
MOST_ROWS = SERVED_ROWS

Outcome = TypeVar("Outcome", bound=tuple[Any, ...])


class Collector(ABC, Generic[Outcome]):
    """Writes rows of `tables`, dead letters and the row of the run; `report` is told the counts.

    Who inherits says which tables, and how an outcome is taken.
    """

    # The first one is that of which most rows come.
    tables: ClassVar[tuple[Table, ...]]

    def __init__(
        self, target: Target, run: Run, report: Callable[[Counts], None] | None = None
    ) -> None:
        self._warehouse = Warehouse(target)
        self._run = run
        self._report = report
        self.counts = Counts()
        self._written = Counts()
        # What waits, for each table.
        self._rows: tuple[list[Any], ...] = tuple([] for _ in self.tables)
        self._refusals: list[Refusal] = []
        self._write_at = time.monotonic()

    def add(self, item: Outcome | BlockRead | list[DeadRecord]) -> None:
        """Take an item; it becomes visible within a second and durable at `settle`."""
        if isinstance(item, BlockRead):
            self.counts.read(*item)
            return
        refusals = [dead.refusal for dead in item] if isinstance(item, list) else self._take(item)
        self._refusals += refusals
        self.counts.dead_letters += len(refusals)

    @abstractmethod
    def _take(self, outcome: Outcome) -> list[Refusal]:
        """Put an outcome to what waits, and count it; what it refused is counted by the caller."""

    def write_soon(self) -> None:
        """Write what has been taken, if it is time or too much."""
        if time.monotonic() >= self._write_at or self._many() >= MOST_ROWS:
            self.settle()

    def _many(self) -> int:
        return len(self._rows[0])

    def settle(self, status: str = "running") -> None:
        """Write all that was taken, all at once or not at all."""
        self._write_at = time.monotonic() + WRITE_EVERY_SECONDS
        if self._report is not None:
            self._report(self.counts)
        if not (self.unwritten() or status != "running"):
            return
        self._store(status)
        self._clear()
        self._written = replace(self.counts)

    def unwritten(self) -> bool:
        """Whether something was taken that is not written yet."""
        return self.counts != self._written or self._waits()

    def _waits(self) -> bool:
        return any(self._rows)

    def _store(self, status: str) -> None:
        with self._warehouse.transaction():
            self._upsert()
            self._diary(status)

    def _upsert(self) -> None:
        for table, rows in zip(self.tables, self._rows, strict=True):
            self._warehouse.upsert(table, newest_rows(table, rows))

    def _diary(self, status: str) -> None:
        self._warehouse.upsert(DEAD_LETTER, dead_letter_rows(self._refusals))
        if self.counts.lines:
            rows = run_rows(self._run, self.counts, status, datetime.now(UTC))
            self._warehouse.upsert(FLOW_RUN, rows)

    def _clear(self) -> None:
        for rows in self._rows:
            rows.clear()
        self._refusals.clear()

    def close(self, status: str) -> None:
        """Settle, say how the run ended, and let go of the warehouse."""
        try:
            self.settle(status)
        finally:
            self._warehouse.close()
