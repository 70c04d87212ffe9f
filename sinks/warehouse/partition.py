"""The warehouse as Bytewax writes to it: one partition, for one process owns the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from operators.stock.decode import BlockRead
from operators.stock.shard import StockOutcome
from sinks.warehouse.writer import Counts, WarehouseWriter

PARTITION = "warehouse"


class WarehousePartition(StatefulSinkPartition[StockOutcome | BlockRead, None]):
    """Hands items to the writer; an epoch is over when they are durable."""

    def __init__(self, writer: WarehouseWriter, ended: Callable[[], str]) -> None:
        self._writer = writer
        self._ended = ended

    def write_batch(self, values: list[StockOutcome | BlockRead]) -> None:
        """Take items; they are written on the writer's own thread."""
        writer = self._writer
        for value in values:
            if isinstance(value, BlockRead):
                writer.add_read(*value)
            else:
                writer.add(value)
        writer.write_soon()

    def snapshot(self) -> None:
        """Wait until all is durable: the engine commits the epoch after this."""
        self._writer.settle()

    def close(self) -> None:
        """The input has ended or was stopped."""
        self._writer.close(self._ended())


class WarehouseSink(FixedPartitionedSink[StockOutcome | BlockRead, None]):
    """Outcomes of the stock flow into a DuckDB file."""

    def __init__(
        self,
        path: Path,
        *,
        flow: str,
        run: str,
        source: str,
        ended: Callable[[], str],
        report: Callable[[Counts], None] | None = None,
    ) -> None:
        self._path = path
        self._flow = flow
        self._run = run
        self._source = source
        self._ended = ended
        self._report = report

    def list_parts(self) -> list[str]:
        """The one partition."""
        return [PARTITION]

    def part_fn(self, item_key: str) -> int:
        """Everything goes to the one partition."""
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> WarehousePartition:
        """Open the warehouse in the process that writes it."""
        writer = WarehouseWriter(self._path, self._flow, self._run, self._source, self._report)
        return WarehousePartition(writer, self._ended)
