"""Collects outcomes of the roster flow and writes them to the warehouse with the run's diary."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from operators.staffing.outcome import StaffingOutcome
from operators.stock.decode import BlockRead
from operators.stock.refusals import Refusal
from schemas.forecast_tables import FORECAST_15M, FORECAST_SPAN
from schemas.instants import to_micros
from schemas.roster_tables import STAFFING_15M, STAFFING_ALERT
from schemas.staffing import StaffingAlert
from schemas.tables import Table
from schemas.warehouse import DEAD_LETTER, FLOW_RUN
from sinks.kafka.events import DeadRecord
from sinks.roster.published import rows_table
from sinks.warehouse.address import Target
from sinks.warehouse.client import Warehouse
from sinks.warehouse.rows import dead_letter_rows
from sinks.warehouse.runs import Counts, Run, run_rows

LOG = logging.getLogger("tillflow.roster")
Item = StaffingOutcome | BlockRead | list[DeadRecord]
Row = tuple[Any, ...]
# How often rows become visible to readers while the flow runs; an epoch's end comes on top.
WRITE_EVERY_SECONDS = 1.0
# A message to a served warehouse is text that both sides read as a whole.
MOST_ROWS = 20_000
_TABLES: tuple[Table, ...] = (FORECAST_15M, FORECAST_SPAN, STAFFING_15M, STAFFING_ALERT)


def alert_row(alert: StaffingAlert) -> Row:
    """The row of staffing_alert that holds this state."""
    values = {name: getattr(alert, name) for name in alert.__struct_fields__}
    values["proposals"] = msgspec.json.encode(alert.proposals).decode()
    for name in ("opened_at", "updated_at", "cleared_at"):
        if values[name] is not None:
            values[name] = to_micros(values[name])
    return tuple(values[name] for name in STAFFING_ALERT.names)


class StaffingTable:
    """Writes forecasts, staffing, alerts, dead letters and the row of the run."""

    def __init__(
        self, target: Target, run: Run, report: Callable[[Counts], None] | None = None
    ) -> None:
        self._warehouse = Warehouse(target)
        self._run = run
        self._report = report
        self.counts = Counts()
        self._written = Counts()
        self._rows: tuple[list[Row], ...] = tuple([] for _ in _TABLES)
        self._refusals: list[Refusal] = []
        self._said: set[str] = set()
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
        if isinstance(item, StaffingOutcome):
            alerts = [alert_row(alert) for alert in item.alerts]
            new = (item.quarters, item.spans, item.staffing, alerts)
            for rows, more in zip(self._rows, new, strict=True):
                rows.extend(more)
            refusals = item.refusals
            counts.applied += item.applied
            counts.alerts_raised += sum(one.status == "raised" for one in item.alerts)
            counts.alerts_cleared += sum(one.status == "cleared" for one in item.alerts)
            # Each round comes upon them again.
            for problem in dict.fromkeys(item.problems):
                if problem not in self._said:
                    self._said.add(problem)
                    LOG.warning("%s", problem)
        else:
            refusals = [dead.refusal for dead in item]
        self._refusals += refusals
        counts.dead_letters += len(refusals)

    def write_soon(self) -> None:
        """Write what has been taken, if it is time or too much."""
        if time.monotonic() >= self._write_at or max(map(len, self._rows)) >= MOST_ROWS:
            self.settle()

    def settle(self, status: str = "running") -> None:
        """Write all that was taken; rows that belong together all at once, as far as they fit."""
        self._write_at = time.monotonic() + WRITE_EVERY_SECONDS
        if self._report is not None:
            self._report(self.counts)
        told = self.counts != self._written or status != "running"
        if not (told or any(self._rows)):
            return
        longest = max(len(rows) for rows in self._rows)
        for first in range(0, max(longest, 1), MOST_ROWS):
            with self._warehouse.transaction():
                for table, rows in zip(_TABLES, self._rows, strict=True):
                    part = rows_table(table, rows[first : first + MOST_ROWS])
                    self._warehouse.upsert(table, part, several=True)
                if first == 0:
                    self._diary(status)
        for rows in self._rows:
            rows.clear()
        self._refusals = []
        self._written = replace(self.counts)

    def _diary(self, status: str) -> None:
        self._warehouse.upsert(DEAD_LETTER, dead_letter_rows(self._refusals))
        if self.counts.lines:
            rows = run_rows(self._run, self.counts, status, datetime.now(UTC))
            self._warehouse.upsert(FLOW_RUN, rows)

    def close(self, status: str) -> None:
        """Settle, say how the run ended, and let go of the warehouse."""
        try:
            self.settle(status)
        finally:
            self._warehouse.close()
