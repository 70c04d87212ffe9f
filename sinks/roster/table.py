"""Outcomes of the roster flow in the warehouse: forecasts, staffing and alerts."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from operators.staffing.outcome import StaffingOutcome
from operators.stock.refusals import Refusal
from schemas.forecast_tables import FORECAST_15M, FORECAST_SPAN
from schemas.instants import to_micros
from schemas.roster_tables import STAFFING_15M, STAFFING_ALERT
from schemas.staffing import StaffingAlert
from sinks.tables.collector import MOST_ROWS, Collector
from sinks.warehouse.address import Target
from sinks.warehouse.runs import Counts, Run
from sinks.warehouse.tuple_rows import Row, rows_table

LOG = logging.getLogger("tillflow.roster")


def alert_row(alert: StaffingAlert) -> Row:
    """The row of staffing_alert that holds this state."""
    values = {name: getattr(alert, name) for name in alert.__struct_fields__}
    values["proposals"] = msgspec.json.encode(alert.proposals).decode()
    for name in ("opened_at", "updated_at", "cleared_at"):
        if values[name] is not None:
            values[name] = to_micros(values[name])
    return tuple(values[name] for name in STAFFING_ALERT.names)


class StaffingTable(Collector[StaffingOutcome]):
    """Writes forecasts, staffing and alerts, with dead letters and the row of the run."""

    tables = (FORECAST_15M, FORECAST_SPAN, STAFFING_15M, STAFFING_ALERT)

    def __init__(
        self, target: Target, run: Run, report: Callable[[Counts], None] | None = None
    ) -> None:
        super().__init__(target, run, report)
        self._said: set[str] = set()

    def _take(self, outcome: StaffingOutcome) -> list[Refusal]:
        alerts = [alert_row(alert) for alert in outcome.alerts]
        new = (outcome.quarters, outcome.spans, outcome.staffing, alerts)
        for rows, more in zip(self._rows, new, strict=True):
            rows.extend(more)
        counts = self.counts
        counts.applied += outcome.applied
        counts.alerts_raised += sum(one.status == "raised" for one in outcome.alerts)
        counts.alerts_cleared += sum(one.status == "cleared" for one in outcome.alerts)
        # Each round comes upon them again.
        for problem in dict.fromkeys(outcome.problems):
            if problem not in self._said:
                self._said.add(problem)
                LOG.warning("%s", problem)
        return outcome.refusals

    def _many(self) -> int:
        return max(map(len, self._rows))

    def _store(self, status: str) -> None:
        """Rows that belong together all at once, as far as they fit into a transaction."""
        for first in range(0, max(self._many(), 1), MOST_ROWS):
            with self._warehouse.transaction():
                for table, rows in zip(self.tables, self._rows, strict=True):
                    part = rows_table(table, rows[first : first + MOST_ROWS])
                    self._warehouse.upsert(table, part, several=True)
                if first == 0:
                    self._diary(status)
