"""Collects outcomes of the members flow and writes them to the warehouse with the run's diary."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from operators.members.outcome import MembersOutcome
from operators.stock.decode import BlockRead
from operators.stock.refusals import Refusal
from schemas.member_tables import MEMBER_STATE, MEMBER_TRANSITION
from schemas.warehouse import DEAD_LETTER, FLOW_RUN
from sinks.kafka.events import DeadRecord
from sinks.members.rows import state_rows, transition_rows
from sinks.warehouse.address import Target
from sinks.warehouse.client import Warehouse
from sinks.warehouse.rows import dead_letter_rows
from sinks.warehouse.runs import Counts, Run, run_rows
from sinks.warehouse.statements import bound

Item = MembersOutcome | BlockRead | list[DeadRecord]
# How often rows become visible to readers while the flow runs; an epoch's end comes on top.
WRITE_EVERY_SECONDS = 1.0
# A message to a served warehouse is text that both sides read as a whole.
MOST_ROWS = 20_000
FORGET = "DELETE FROM member_transition WHERE member IN (SELECT unnest(?::VARCHAR[]))"


class MembersTable:
    """Writes members, their changes, dead letters and the run; `report` is told the counts."""

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
        self._states: list[tuple[Any, ...]] = []
        self._transitions: list[tuple[Any, ...]] = []
        self._erased: set[str] = set()
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
        if isinstance(item, MembersOutcome):
            self._states += item.states
            if item.erased:
                gone = set(item.erased)
                self._transitions = [row for row in self._transitions if row[0] not in gone]
                self._erased |= gone
            self._transitions += item.transitions
            refusals = item.refusals
            counts.applied += item.totals.applied
            counts.duplicates += item.totals.duplicates
            # Of who is forgotten, it does not even count that they were there.
            counts.others += item.totals.erased
        else:
            refusals = [dead.refusal for dead in item]
        self._refusals += refusals
        counts.dead_letters += len(refusals)

    def write_soon(self) -> None:
        """Write what has been taken, if it is time or too much."""
        if time.monotonic() >= self._write_at or len(self._states) >= MOST_ROWS:
            self.settle()

    def settle(self, status: str = "running") -> None:
        """Write all that was taken, all at once or not at all."""
        self._write_at = time.monotonic() + WRITE_EVERY_SECONDS
        if self._report is not None:
            self._report(self.counts)
        told = self.counts != self._written or status != "running"
        if not (told or self._states or self._transitions or self._erased):
            return
        warehouse = self._warehouse
        with warehouse.transaction():
            if self._erased:
                warehouse.write(bound(FORGET, [sorted(self._erased)]))
            warehouse.upsert(MEMBER_STATE, state_rows(self._states))
            warehouse.upsert(MEMBER_TRANSITION, transition_rows(self._transitions))
            warehouse.upsert(DEAD_LETTER, dead_letter_rows(self._refusals))
            if self.counts.lines:
                rows = run_rows(self._run, self.counts, status, datetime.now(UTC))
                warehouse.upsert(FLOW_RUN, rows)
        self._states, self._transitions, self._refusals = [], [], []
        self._erased = set()
        self._written = replace(self.counts)

    def close(self, status: str) -> None:
        """Settle, say how the run ended, and let go of the warehouse."""
        try:
            self.settle(status)
        finally:
            self._warehouse.close()
