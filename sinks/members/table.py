"""Outcomes of the members flow in the warehouse: members, their changes, and their journeys."""

from __future__ import annotations

from collections.abc import Callable

from operators.journeys.decisions import Decision, Moved
from operators.members.outcome import MembersOutcome
from operators.stock.refusals import Refusal
from schemas.journey_tables import JOURNEY_RUN, MESSAGE
from schemas.member_tables import MEMBER_STATE, MEMBER_TRANSITION
from sinks.members.journey_rows import message_row, run_row
from sinks.tables.collector import Collector
from sinks.warehouse.address import Target
from sinks.warehouse.runs import Counts, Run
from sinks.warehouse.statements import bound

# What was told of members, and goes when they are forgotten.
TOLD = (MEMBER_TRANSITION, MESSAGE, JOURNEY_RUN)
FORGET = "DELETE FROM {} WHERE member IN (SELECT unnest(?::VARCHAR[]))"


class MembersTable(Collector[MembersOutcome]):
    """Writes members, their changes and journeys, with dead letters and the row of the run."""

    tables = (MEMBER_STATE, MEMBER_TRANSITION, MESSAGE, JOURNEY_RUN)

    def __init__(
        self, target: Target, run: Run, report: Callable[[Counts], None] | None = None
    ) -> None:
        super().__init__(target, run, report)
        self._erased: set[str] = set()

    def _take(self, outcome: MembersOutcome) -> list[Refusal]:
        states, *told = self._rows
        states.extend(outcome.states)
        if outcome.erased:
            gone = set(outcome.erased)
            for table, rows in zip(TOLD, told, strict=True):
                at = table.names.index("member")
                rows[:] = [row for row in rows if row[at] not in gone]
            self._erased |= gone
        transitions, messages, runs = told
        transitions.extend(outcome.transitions)
        messages.extend(message_row(Decision(*row)) for row in outcome.decisions)
        runs.extend(run_row(Moved(*row)) for row in outcome.runs)
        counts = self.counts
        counts.applied += outcome.totals.applied
        counts.duplicates += outcome.totals.duplicates
        # Of who is forgotten, it does not even count that they were there.
        counts.others += outcome.totals.erased
        return outcome.refusals

    def _waits(self) -> bool:
        return bool(self._erased) or super()._waits()

    def _upsert(self) -> None:
        if self._erased:
            for table in TOLD:
                self._warehouse.write(bound(FORGET.format(table.name), [sorted(self._erased)]))
        super()._upsert()

    def _clear(self) -> None:
        super()._clear()
        self._erased.clear()
