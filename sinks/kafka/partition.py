"""The log as Bytewax writes to it: what a committed epoch has said is on the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from operators.stock.decode import BlockRead
from sinks.kafka.events import DeadRecord, OutRecord, dead_letter
from sinks.kafka.producer import Brokers, TopicWriter

PARTITION = "kafka"

Outcome = TypeVar("Outcome", bound=tuple[Any, ...])
RecordsOf = Callable[[Outcome], Iterable[OutRecord]]


class LogPartition(
    StatefulSinkPartition[Outcome | BlockRead | list[DeadRecord], None], Generic[Outcome]
):
    """Writes at once, and waits for all of it at the end of an epoch.

    After a crash an epoch is said again: ids and versions are the same, readers see a repeat.
    """

    def __init__(self, writer: TopicWriter, records_of: RecordsOf[Outcome]) -> None:
        self._writer = writer
        self._records_of = records_of

    def write_batch(self, values: list[Outcome | BlockRead | list[DeadRecord]]) -> None:
        """Send what there is to say."""
        write, records_of = self._writer.write, self._records_of
        for value in values:
            if isinstance(value, BlockRead):
                continue
            records = map(dead_letter, value) if isinstance(value, list) else records_of(value)
            for record in records:
                write(*record)
        self._writer.poll()

    def snapshot(self) -> None:
        """Wait until all is on the log: the engine commits the epoch after this."""
        self._writer.flush()

    def close(self) -> None:
        """The input has ended or was stopped."""
        self._writer.flush()


class LogSink(FixedPartitionedSink[Outcome | BlockRead | list[DeadRecord], None], Generic[Outcome]):
    """Outcomes of a flow and its dead letters to the log's topics.

    `records_of`: what an outcome has to say, in the order in which it is said.
    """

    def __init__(self, settings: Brokers, records_of: RecordsOf[Outcome]) -> None:
        self._settings = settings
        self._records_of = records_of

    def list_parts(self) -> list[str]:
        """The one partition: it keeps the order of a key, and one producer is fast enough."""
        return [PARTITION]

    def part_fn(self, item_key: str) -> int:
        """Everything goes to the one partition."""
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> LogPartition[Outcome]:
        """A producer in the process that writes."""
        return LogPartition(TopicWriter(self._settings), self._records_of)
