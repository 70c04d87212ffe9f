"""Tables as Bytewax writes to them: what a committed epoch has come to is in the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from operators.stock.decode import BlockRead
from sinks.kafka.events import DeadRecord
from sinks.tables.collector import Collector, Outcome
from sinks.warehouse.runs import Run

PARTITION = "warehouse"


class TablePartition(
    StatefulSinkPartition[Outcome | BlockRead | list[DeadRecord], None], Generic[Outcome]
):
    """Collects rows and writes them every second; an epoch is over when they are durable."""

    def __init__(self, table: Collector[Outcome], ended: Callable[[], str]) -> None:
        self._table = table
        self._ended = ended

    def write_batch(self, values: list[Outcome | BlockRead | list[DeadRecord]]) -> None:
        """Take items, and write them if it is time."""
        for value in values:
            self._table.add(value)
        self._table.write_soon()

    def snapshot(self) -> None:
        """Write all that was taken."""
        self._table.settle()

    def close(self) -> None:
        """The input has ended or was stopped."""
        self._table.close(self._ended())


class TableSink(
    FixedPartitionedSink[Outcome | BlockRead | list[DeadRecord], None], Generic[Outcome]
):
    """Outcomes of a flow into the warehouse, a file or a served one.

    `open_table` is called in the process that writes; `ended` says how the run came to its end.
    """

    def __init__(
        self,
        open_table: Callable[[Run], Collector[Outcome]],
        *,
        flow: str,
        run: str,
        source: str,
        ended: Callable[[], str],
    ) -> None:
        self._open_table = open_table
        self._named = (run, flow, source)
        self._ended = ended

    def list_parts(self) -> list[str]:
        """The one partition: it keeps the order of a key, and rows are some hundred a second."""
        return [PARTITION]

    def part_fn(self, item_key: str) -> int:
        """Everything goes to the one partition."""
        return 0

    def build_part(
        self, step_id: str, for_part: str, resume_state: None
    ) -> TablePartition[Outcome]:
        """Open the warehouse in the process that writes it."""
        run = Run(*self._named, started_at=datetime.now(UTC))
        return TablePartition(self._open_table(run), self._ended)
