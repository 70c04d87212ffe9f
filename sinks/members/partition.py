"""Outcomes of the members flow as Bytewax writes them: to the log and to the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from operators.stock.decode import BlockRead
from sinks.kafka.events import dead_letter
from sinks.kafka.producer import Brokers, TopicWriter
from sinks.members.records import records_of
from sinks.members.table import Item, MembersTable
from sinks.warehouse.address import Target
from sinks.warehouse.runs import Counts, Run


class MembersLogPartition(StatefulSinkPartition[Item, None]):
    """Writes at once, and waits for all of it at the end of an epoch."""

    def __init__(self, writer: TopicWriter) -> None:
        self._writer = writer

    def write_batch(self, values: list[Item]) -> None:
        """Send what there is to say."""
        for value in values:
            if isinstance(value, BlockRead):
                continue
            records = map(dead_letter, value) if isinstance(value, list) else records_of(value)
            for record in records:
                self._writer.write(*record)
        self._writer.poll()

    def snapshot(self) -> None:
        """Wait until all is on the log: the engine commits the epoch after this."""
        self._writer.flush()

    def close(self) -> None:
        """The input has ended or was stopped."""
        self._writer.flush()


class MembersLogSink(FixedPartitionedSink[Item, None]):
    """Changes of segment and dead letters to the log's topics."""

    def __init__(self, settings: Brokers) -> None:
        self._settings = settings

    def list_parts(self) -> list[str]:
        """The one partition: it keeps the order of a key."""
        return ["kafka"]

    def part_fn(self, item_key: str) -> int:
        """Everything goes to the one partition."""
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> MembersLogPartition:
        """A producer in the process that writes."""
        return MembersLogPartition(TopicWriter(self._settings))


class MembersTablePartition(StatefulSinkPartition[Item, None]):
    """Collects rows and writes them every second; an epoch is over when they are durable."""

    def __init__(self, table: MembersTable, ended: Callable[[], str]) -> None:
        self._table = table
        self._ended = ended

    def write_batch(self, values: list[Item]) -> None:
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


class MembersTableSink(FixedPartitionedSink[Item, None]):
    """Members into the warehouse, a file or a served one."""

    def __init__(
        self,
        target: Target,
        *,
        flow: str,
        run: str,
        source: str,
        ended: Callable[[], str],
        report: Callable[[Counts], None] | None = None,
    ) -> None:
        self._target = target
        self._named = (run, flow, source)
        self._ended = ended
        self._report = report

    def list_parts(self) -> list[str]:
        """The one partition: it keeps the order of a member."""
        return ["warehouse"]

    def part_fn(self, item_key: str) -> int:
        """Everything goes to the one partition."""
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> MembersTablePartition:
        """Open the warehouse in the process that writes it."""
        run = Run(*self._named, started_at=datetime.now(UTC))
        return MembersTablePartition(MembersTable(self._target, run, self._report), self._ended)
