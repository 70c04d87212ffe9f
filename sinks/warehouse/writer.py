"""Collects outcomes of the stock flow and writes them to the warehouse, beside the engine.

DuckDB lets go of Python's lock while it works and while it waits for a server, so upserts run on a
thread of their own and the engine goes on; `settle` waits until all that was handed over is
durable. The thread is the only one that touches the connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from operators.stock.refusals import Refusal
from operators.stock.shard import StockOutcome
from schemas.warehouse import (
    DEAD_LETTER,
    FLOW_RUN,
    FLOW_RUN_PART,
    STOCK_ALERT,
    STOCK_POSITION,
)
from sinks.warehouse.address import Target
from sinks.warehouse.client import Warehouse
from sinks.warehouse.rows import alert_rows, dead_letter_rows, position_rows
from sinks.warehouse.runs import Counts, Run, run_rows, totals

__all__ = ["Counts", "WarehouseWriter"]

# How often rows become visible to readers while the flow runs; an epoch's end comes on top.
WRITE_EVERY_SECONDS = 1.0
# A message to a served warehouse is text that both sides read as a whole; beyond this many rows it
# would take longer than a reader's patience, so more rows go in transactions of their own before.
SERVED_ROWS = 20_000


@dataclass(slots=True)
class _Buffer:
    positions: list[pa.RecordBatch] = field(default_factory=list)
    alerts: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.positions or self.alerts or self.withdrawn or self.refusals)


class WarehouseWriter:
    """Writes outcomes to the warehouse; `report` is told the counts now and then.

    `part`: the number of this writer where several share a run; None where it is the only one.
    """

    def __init__(
        self,
        target: Target,
        flow: str,
        run: str,
        source: str,
        report: Callable[[Counts], None] | None = None,
        *,
        part: int | None = None,
    ) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="warehouse")
        self._warehouse = self._thread.submit(Warehouse, target).result()
        self._run = Run(run, flow, source, started_at=datetime.now(UTC), part=part)
        self._report = report
        self.counts = Counts()
        self._written = Counts()
        self._buffer = _Buffer()
        self._writing: Future[None] | None = None
        self._write_at = time.monotonic()

    def add(self, outcome: StockOutcome) -> None:
        """Take an outcome; it becomes visible within a second and durable at `settle`."""
        buffer, counts = self._buffer, self.counts
        if outcome.positions and outcome.positions[0]:
            buffer.positions.append(position_rows(outcome.positions))
            counts.positions += len(outcome.positions[0])
        for alert in outcome.withdrawn:
            buffer.alerts.pop(alert, None)
            buffer.withdrawn.add(alert)
        for row in outcome.alerts:
            buffer.withdrawn.discard(row[0])
            buffer.alerts[row[0]] = row
        if outcome.refusals:
            buffer.refusals.extend(outcome.refusals)
            counts.dead_letters += len(outcome.refusals)
        totals = outcome.totals
        counts.applied += totals.applied
        counts.duplicates += totals.duplicates
        counts.alerts_raised += totals.raised
        counts.alerts_cleared += totals.cleared

    def add_read(self, lines: int, events: int, others: int, newest: int | None) -> None:
        """Take the counts of a block that was read; `newest` in microseconds since 1970."""
        counts = self.counts
        counts.lines += lines
        counts.events += events
        counts.others += others
        if newest is not None:
            counts.newest_event = max(newest, counts.newest_event or newest)

    def write_soon(self) -> None:
        """Write what has been taken, if it is time and the last write is through."""
        now = time.monotonic()
        if now < self._write_at or (self._writing is not None and not self._writing.done()):
            return
        self._write_at = now + WRITE_EVERY_SECONDS
        self._write("running")

    def _write(self, status: str) -> None:
        self._wait()
        buffer, self._buffer = self._buffer, _Buffer()
        counts = replace(self.counts)
        self._writing = self._thread.submit(self._store, buffer, counts, status)
        if self._report is not None:
            self._report(counts)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def settle(self, status: str = "running") -> None:
        """Write all that was taken and wait until it is durable."""
        if self._buffer or self.counts != self._written or status != "running":
            self._write(status)
        self._wait()

    def close(self, status: str) -> None:
        """Settle, say how the run ended, and let go of the warehouse."""
        try:
            if self._is_told(self.counts) or self._buffer:
                self.settle(status)
        finally:
            self._thread.submit(self._warehouse.close).result()
            self._thread.shutdown()

    def _store(self, buffer: _Buffer, counts: Counts, status: str) -> None:
        warehouse, run = self._warehouse, self._run
        positions = buffer.positions
        while warehouse.is_served and sum(map(len, positions)) > SERVED_ROWS:
            first, positions = _split(positions, SERVED_ROWS)
            warehouse.upsert(STOCK_POSITION, pa.Table.from_batches(first), several=True)
        with warehouse.transaction():
            if positions:
                rows = pa.Table.from_batches(positions)
                warehouse.upsert(STOCK_POSITION, rows, several=len(buffer.positions) > 1)
            if buffer.withdrawn:
                warehouse.delete(STOCK_ALERT, sorted(buffer.withdrawn))
            warehouse.upsert(STOCK_ALERT, alert_rows(buffer.alerts.values()))
            warehouse.upsert(DEAD_LETTER, dead_letter_rows(buffer.refusals))
            if self._is_told(counts):
                table = FLOW_RUN if run.part is None else FLOW_RUN_PART
                warehouse.upsert(table, run_rows(run, counts, status, datetime.now(UTC)))
        if run.part is not None and self._is_told(counts):
            # After the rows, and alone: only here may writers get in each other's way.
            warehouse.write(totals(run.name))
        self._written = counts

    def _is_told(self, counts: Counts) -> bool:
        """Whether there is anything for the diary: one of several writers may have read nothing."""
        return bool(counts.lines) if self._run.part is None else counts != Counts()


def _split(
    batches: list[pa.RecordBatch], size: int
) -> tuple[list[pa.RecordBatch], list[pa.RecordBatch]]:
    """The first `size` rows of batches, and the others, both in their order."""
    first: list[pa.RecordBatch] = []
    left = size
    for number, batch in enumerate(batches):
        if len(batch) > left:
            return [*first, batch.slice(0, left)], [batch.slice(left), *batches[number + 1 :]]
        first.append(batch)
        left -= len(batch)
    return first, []
