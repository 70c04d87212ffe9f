"""The warehouse as Bytewax writes to it.

A file has one partition, for one process owns it. A served warehouse has several, each with its
own connection, so that every worker writes what it made.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from zlib import crc32

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from operators.stock.decode import BlockRead
from operators.stock.shard import StockOutcome
from sinks.warehouse.address import Address, Target, parse_target
from sinks.warehouse.pending import Carried
from sinks.warehouse.runs import Counts
from sinks.warehouse.writer import WarehouseWriter

PARTITION = "warehouse"
# Fixed, for a flow that goes on where it was cannot do with fewer partitions than it had; an idle
# one costs a thread that sleeps.
SERVED_PARTITIONS = 4


class WarehousePartition(StatefulSinkPartition[StockOutcome | BlockRead, Carried | None]):
    """Hands items to the writer.

    An epoch is over when they are durable: in the warehouse, or with `carry` in the snapshot.
    """

    def __init__(
        self, writer: WarehouseWriter, ended: Callable[[], str], *, carry: bool = False
    ) -> None:
        self._writer = writer
        self._ended = ended
        self._carry = carry

    def write_batch(self, values: list[StockOutcome | BlockRead]) -> None:
        """Take items; they are written on the writer's own thread."""
        writer = self._writer
        for value in values:
            if isinstance(value, BlockRead):
                writer.add_read(*value)
            else:
                writer.add(value)
        writer.write_soon()

    def snapshot(self) -> Carried | None:
        """Wait until all is durable, or carry what is not: the engine commits the epoch then."""
        if self._carry:
            return self._writer.carry()
        self._writer.settle()
        return None

    def close(self) -> None:
        """The input has ended or was stopped."""
        self._writer.close(self._ended())


class WarehouseSink(FixedPartitionedSink[StockOutcome | BlockRead, Carried | None]):
    """Outcomes of the stock flow into a DuckDB file, or into a served warehouse.

    `carry`: at the end of an epoch nobody waits for the warehouse; needs a recovery store.
    """

    def __init__(
        self,
        path: Target,
        *,
        flow: str,
        run: str,
        source: str,
        ended: Callable[[], str],
        report: Callable[[Counts], None] | None = None,
        carry: bool = False,
    ) -> None:
        self._carry = carry
        self._target = parse_target(path)
        self._flow = flow
        self._run = run
        self._source = source
        self._ended = ended
        self._report = None if report is None else _Sum(report)

    def list_parts(self) -> list[str]:
        """One for a file; the first name is the same for both, so that a flow may move on."""
        if not isinstance(self._target, Address):
            return [PARTITION]
        return [PARTITION, *(f"{PARTITION}-{number}" for number in range(1, SERVED_PARTITIONS))]

    def part_fn(self, item_key: str) -> int:
        """What has the same key is written by the same writer, in its order."""
        return crc32(item_key.encode()) if isinstance(self._target, Address) else 0

    def build_part(
        self, step_id: str, for_part: str, resume_state: Carried | None
    ) -> WarehousePartition:
        """Open the warehouse in the process that writes it."""
        number = int(for_part.removeprefix(PARTITION).removeprefix("-") or 0)
        report = None if self._report is None else self._report.of(number)
        part = number if isinstance(self._target, Address) else None
        writer = WarehouseWriter(
            self._target, self._flow, self._run, self._source, report, part=part
        )
        if resume_state is not None:
            writer.take_up(resume_state)
        return WarehousePartition(writer, self._ended, carry=self._carry)


class _Sum:
    """Tells the counts of all writers of this process together."""

    def __init__(self, report: Callable[[Counts], None]) -> None:
        self._report = report
        self._known: dict[int, Counts] = {}
        self._lock = Lock()

    def of(self, part: int) -> Callable[[Counts], None]:
        """What one writer reports to."""

        def take(counts: Counts) -> None:
            with self._lock:
                self._known[part] = counts
                self._report(sum(self._known.values(), Counts()))

        return take
