"""Collects outcomes of the footfall flow and writes them to the warehouse with the run's diary."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from operators.footfall.shard import FootfallOutcome
from operators.stock.decode import BlockRead
from operators.stock.refusals import Refusal
from schemas.footfall_tables import EMPLOYEE_WORK_15M, FOOTFALL_15M
from schemas.warehouse import DEAD_LETTER, FLOW_RUN
from sinks.footfall.rows import window_rows, work_rows
from sinks.kafka.events import DeadRecord
from sinks.warehouse.address import Target
from sinks.warehouse.client import Warehouse
from sinks.warehouse.rows import dead_letter_rows
from sinks.warehouse.runs import Counts, Run, run_rows

Item = FootfallOutcome | BlockRead | list[DeadRecord]
# How often rows become visible to readers while the flow runs; an epoch's end comes on top.
WRITE_EVERY_SECONDS = 1.0
# A message to a served warehouse is text that both sides read as a whole.
MOST_ROWS = 20_000


class FootfallTable:
    """Writes windows, work, dead letters and the row of the run; `report` is told the counts."""

    def __init__(
        self,
        target: Target,
        run: Run,
        report: Callable[[Counts], None] | None = None,
    ) -> None:
        self._warehouse = Warehouse(target)
        self._run = run
        self._report = report
        self.counts = Counts()
        self._written = Counts()
        self._windows: list[tuple[Any, ...]] = []
        self._work: list[tuple[Any, ...]] = []
        self._refusals: list[Refusal] = []
        self._write_at = time.monotonic()

    def add(self, item: Item) -> None:
        """Take an item; it becomes visible within a second and durable at `settle`."""
        counts = self.counts
        if isinstance(item, BlockRead):
            counts.lines += item.lines
            counts.events += item.events
            counts.others += item.others
            if item.newest is not None:
                counts.newest_event = max(item.newest, counts.newest_event or item.newest)
            return
        if isinstance(item, FootfallOutcome):
            self._windows += item.windows
            self._work += item.work
            refusals = item.refusals
            counts.applied += item.totals.applied
            counts.duplicates += item.totals.duplicates
        else:
            refusals = [dead.refusal for dead in item]
        self._refusals += refusals
        counts.dead_letters += len(refusals)

    def write_soon(self) -> None:
        """Write what has been taken, if it is time or too much."""
        if time.monotonic() >= self._write_at or len(self._windows) >= MOST_ROWS:
            self.settle()

    def settle(self, status: str = "running") -> None:
        """Write all that was taken, all at once or not at all."""
        self._write_at = time.monotonic() + WRITE_EVERY_SECONDS
        if self._report is not None:
            self._report(self.counts)
        told = self.counts != self._written or status != "running"
        if not (told or self._windows):
            return
        warehouse = self._warehouse
        with warehouse.transaction():
            warehouse.upsert(FOOTFALL_15M, window_rows(self._windows))
            warehouse.upsert(EMPLOYEE_WORK_15M, work_rows(self._work))
            warehouse.upsert(DEAD_LETTER, dead_letter_rows(self._refusals))
            if self.counts.lines:
                rows = run_rows(self._run, self.counts, status, datetime.now(UTC))
                warehouse.upsert(FLOW_RUN, rows)
        self._windows, self._work, self._refusals = [], [], []
        self._written = replace(self.counts)

    def close(self, status: str) -> None:
        """Settle, say how the run ended, and let go of the warehouse."""
        try:
            self.settle(status)
        finally:
            self._warehouse.close()
