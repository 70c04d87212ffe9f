"""Collects outcomes of the stock flow and writes them to the warehouse, beside the engine.

DuckDB lets go of Python's lock while it works and while it waits for a server, so upserts run on a
thread of their own and the engine goes on; `settle` waits until all that was handed over is
durable. The thread is the only one that touches the connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import RLock, Timer

import pyarrow as pa

from operators.stock.shard import StockOutcome
from schemas.reservation_tables import RESERVATION
from schemas.warehouse import (
    DEAD_LETTER,
    FLOW_RUN,
    FLOW_RUN_PART,
    STOCK_ALERT,
    STOCK_POSITION,
)
from sinks.warehouse.address import Target
from sinks.warehouse.client import Warehouse
from sinks.warehouse.pending import Carried, Pending
from sinks.warehouse.rows import alert_rows, dead_letter_rows, position_rows
from sinks.warehouse.runs import Counts, Run, run_rows, totals
from sinks.warehouse.tuple_rows import newest_rows

__all__ = ["Counts", "WarehouseWriter"]

# How often rows become visible to readers while the flow runs; an epoch's end comes on top.
WRITE_EVERY_SECONDS = 1.0
# A message to a served warehouse is text that both sides read as a whole; beyond this many rows it
# would take longer than a reader's patience, so more rows go in transactions of their own before.
SERVED_ROWS = 20_000
# While a write is under way, so often is looked whether it is through.
LOOK_AGAIN_SECONDS = 0.1
# Rows that a snapshot may carry: some hundred kilobytes.
MOST_CARRIED = 4_000


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
        self._buffer = Pending()
        self._writing: Future[None] | None = None
        self._flying = Pending()
        self._write_at = time.monotonic()
        self._lock = RLock()
        self._timer: Timer | None = None

    def add(self, outcome: StockOutcome) -> None:
        """Take an outcome; it becomes visible within a second and durable at `settle`."""
        with self._lock:
            self._add(outcome)

    def _add(self, outcome: StockOutcome) -> None:
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
        if outcome.reservations:
            buffer.reservations.extend(outcome.reservations)
        totals = outcome.totals
        counts.applied += totals.applied
        counts.duplicates += totals.duplicates
        counts.alerts_raised += totals.raised
        counts.alerts_cleared += totals.cleared

    def add_read(self, lines: int, events: int, others: int, newest: int | None) -> None:
        """Take the counts of a block that was read; `newest` in microseconds since 1970."""
        self.counts.read(lines, events, others, newest)

    def write_soon(self) -> None:
        """Write what has been taken, as soon as it is time and the last write is through."""
        with self._lock:
            now = time.monotonic()
            busy = self._writing is not None and not self._writing.done()
            if now >= self._write_at and not busy:
                self._write("running")
            elif self._timer is None and (self._buffer or self.counts != self._written):
                # On a quiet stream nobody may come by to write the last rows.
                wait = max(self._write_at - now, LOOK_AGAIN_SECONDS)
                self._timer = Timer(wait, self._timed)
                self._timer.daemon = True
                self._timer.start()

    def _timed(self) -> None:
        with self._lock:
            writing = self._writing
            # What went wrong is raised where the engine hears of it, not here.
            failed = writing is not None and writing.done() and writing.exception() is not None
            if self._timer is not None and not failed:
                self._timer = None
                self.write_soon()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _write(self, status: str) -> None:
        self._wait()
        self._stop_timer()
        self._write_at = time.monotonic() + WRITE_EVERY_SECONDS
        buffer, self._buffer = self._buffer, Pending()
        self._flying = buffer
        counts = replace(self.counts)
        self._writing = self._thread.submit(self._store, buffer, counts, status)
        if self._report is not None:
            self._report(counts)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None
            self._flying = Pending()

    def settle(self, status: str = "running") -> None:
        """Write all that was taken and wait until it is durable."""
        with self._lock:
            if self._buffer or self.counts != self._written or status != "running":
                self._write(status)
            self._wait()

    def carry(self) -> Carried | None:
        """What is not durable yet, to be written by whoever goes on after a crash.

        Live, waiting for the warehouse would hold up every alert behind it. Where there is much,
        as in a backfill, waiting costs less than carrying: then this settles, and carries nothing.
        """
        with self._lock:
            if self._writing is not None and self._writing.done():
                self._wait()
            if len(self._flying) + len(self._buffer) > MOST_CARRIED:
                self.settle()
                return None
            return Pending.joined(self._flying, self._buffer).packed()

    def take_up(self, carried: Carried) -> None:
        """Write what an earlier run carried and may not have written."""
        self._buffer = Pending.joined(Pending.unpacked(carried), self._buffer)

    def close(self, status: str) -> None:
        """Settle, say how the run ended, and let go of the warehouse."""
        try:
            with self._lock:
                self._stop_timer()
                if self._is_told(self.counts) or self._buffer:
                    self.settle(status)
        finally:
            self._thread.submit(self._warehouse.close).result()
            self._thread.shutdown()

    def _store(self, buffer: Pending, counts: Counts, status: str) -> None:
        warehouse, run = self._warehouse, self._run
        positions = buffer.positions
        while warehouse.is_served and sum(map(len, positions)) > SERVED_ROWS:
            first, positions = _split(positions, SERVED_ROWS)
            warehouse.upsert(STOCK_POSITION, pa.Table.from_batches(first), several=True)
        reservations = newest_rows(RESERVATION, buffer.reservations)
        while warehouse.is_served and len(reservations) > SERVED_ROWS:
            warehouse.upsert(RESERVATION, reservations.slice(0, SERVED_ROWS))
            reservations = reservations.slice(SERVED_ROWS)
        with warehouse.transaction():
            if positions:
                rows = pa.Table.from_batches(positions)
                warehouse.upsert(STOCK_POSITION, rows, several=len(buffer.positions) > 1)
            if buffer.withdrawn:
                warehouse.delete(STOCK_ALERT, sorted(buffer.withdrawn))
            warehouse.upsert(STOCK_ALERT, alert_rows(buffer.alerts.values()))
            warehouse.upsert(RESERVATION, reservations)
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
