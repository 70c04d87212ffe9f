"""Outcomes of the members flow in the warehouse: members, and their changes of segment."""

from __future__ import annotations

from collections.abc import Callable

from operators.members.outcome import MembersOutcome
from operators.stock.refusals import Refusal
from schemas.member_tables import MEMBER_STATE, MEMBER_TRANSITION
from sinks.tables.collector import Collector
from sinks.warehouse.address import Target
from sinks.warehouse.runs import Counts, Run
from sinks.warehouse.statements import bound

FORGET = "DELETE FROM member_transition WHERE member IN (SELECT unnest(?::VARCHAR[]))"


class MembersTable(Collector[MembersOutcome]):
    """Writes members and their changes, with dead letters and the row of the run."""

    tables = (MEMBER_STATE, MEMBER_TRANSITION)

    def __init__(
        self, target: Target, run: Run, report: Callable[[Counts], None] | None = None
    ) -> None:
        super().__init__(target, run, report)
        self._erased: set[str] = set()

    def _take(self, outcome: MembersOutcome) -> list[Refusal]:
        states, transitions = self._rows
        states.extend(outcome.states)
        if outcome.erased:
            gone = set(outcome.erased)
            transitions[:] = [row for row in transitions if row[0] not in gone]
            self._erased |= gone
        transitions.extend(outcome.transitions)
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
            self._warehouse.write(bound(FORGET, [sorted(self._erased)]))
        super()._upsert()

    def _clear(self) -> None:
        super()._clear()
        self._erased.clear()
