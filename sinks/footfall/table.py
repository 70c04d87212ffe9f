"""Outcomes of the footfall flow in the warehouse: windows, and work of people."""

from __future__ import annotations

from operators.footfall.shard import FootfallOutcome
from operators.stock.refusals import Refusal
from schemas.footfall_tables import EMPLOYEE_WORK_15M, FOOTFALL_15M
from sinks.tables.collector import Collector


class FootfallTable(Collector[FootfallOutcome]):
    """Writes windows and work, with dead letters and the row of the run."""

    tables = (FOOTFALL_15M, EMPLOYEE_WORK_15M)

    def _take(self, outcome: FootfallOutcome) -> list[Refusal]:
        windows, work = self._rows
        windows.extend(outcome.windows)
        work.extend(outcome.work)
        self.counts.applied += outcome.totals.applied
        self.counts.duplicates += outcome.totals.duplicates
        return outcome.refusals
