"""Outcomes of the transfers flow in the warehouse: suggestions and alerts."""

from __future__ import annotations

from operators.stock.refusals import Refusal
from operators.stock.transfers.shard import TransferOutcome
from schemas.warehouse import STOCK_ALERT, TRANSFER_SUGGESTION
from sinks.tables.collector import Collector
from sinks.transfers.table import TransferTable


class TransferCollector(Collector[TransferOutcome]):
    """Writes suggestions, alerts and dead letters; this flow keeps no diary of its runs.

    Suggestions are few (a SKU is planned every quarter of an hour), so no thread of their own.
    """

    tables = (TRANSFER_SUGGESTION, STOCK_ALERT)

    def _take(self, outcome: TransferOutcome) -> list[Refusal]:
        suggestions, alerts = self._rows
        suggestions.extend(outcome.suggestions)
        alerts.extend(outcome.alerts)
        return outcome.refusals

    def _store(self, status: str) -> None:
        suggestions, alerts = self._rows
        outcome = TransferOutcome(suggestions, alerts, self._refusals)
        TransferTable(self._warehouse).write(outcome)
