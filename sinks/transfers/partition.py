"""Outcomes of the transfers flow as Bytewax writes them to the warehouse."""

from __future__ import annotations

import time

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from operators.stock.transfers.shard import TransferOutcome
from sinks.kafka.events import DeadRecord
from sinks.transfers.table import TransferTable
from sinks.warehouse.address import Target
from sinks.warehouse.client import Warehouse

Item = TransferOutcome | list[DeadRecord]
# How often rows become visible to readers while the flow runs; an epoch's end comes on top.
WRITE_EVERY_SECONDS = 1.0


class TransferTablePartition(StatefulSinkPartition[Item, None]):
    """Collects rows and writes them every second; an epoch is over when they are durable.

    Suggestions are few (a SKU is planned every quarter of an hour), so no thread of their own.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._table = TransferTable(warehouse)
        self._waiting: list[Item] = []
        self._write_at = time.monotonic()

    def write_batch(self, values: list[Item]) -> None:
        """Take items, and write them if it is time."""
        self._waiting += values
        if time.monotonic() >= self._write_at:
            self._write()

    def _write(self) -> None:
        self._write_at = time.monotonic() + WRITE_EVERY_SECONDS
        waiting, self._waiting = self._waiting, []
        outcome = TransferOutcome([], [], [])
        for value in waiting:
            if isinstance(value, list):
                outcome.refusals.extend(dead.refusal for dead in value)
                continue
            outcome.suggestions.extend(value.suggestions)
            outcome.alerts.extend(value.alerts)
            outcome.refusals.extend(value.refusals)
        self._table.write(outcome)

    def snapshot(self) -> None:
        """Write all that was taken."""
        self._write()

    def close(self) -> None:
        """The input has ended or was stopped."""
        self._write()
        self._warehouse.close()


class TransferTableSink(FixedPartitionedSink[Item, None]):
    """Suggestions and alerts into the warehouse, a file or a served one."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def list_parts(self) -> list[str]:
        """The one partition."""
        return ["warehouse"]

    def part_fn(self, item_key: str) -> int:
        """Everything goes to the one partition."""
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> TransferTablePartition:
        """Open the warehouse in the process that writes it."""
        return TransferTablePartition(Warehouse(self._target))
