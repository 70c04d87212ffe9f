"""The log as Bytewax writes to it: what a committed epoch has said is on the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from operators.stock.decode import BlockRead
from operators.stock.shard import StockOutcome
from schemas.instants import to_micros
from sinks.kafka.events import (
    DeadRecord,
    OutRecord,
    alerts,
    dead_letter,
    positions,
    refused_event,
    withdrawn_alerts,
)
from sinks.kafka.producer import Brokers, TopicWriter

PARTITION = "kafka"

Item = StockOutcome | BlockRead | list[DeadRecord]


class KafkaSinkPartition(StatefulSinkPartition[Item, None]):
    """Writes at once, and waits for all of it at the end of an epoch.

    After a crash an epoch is said again: ids and versions are the same, readers see a repeat.
    """

    def __init__(self, writer: TopicWriter) -> None:
        self._writer = writer

    def write_batch(self, values: list[Item]) -> None:
        """Send what there is to say."""
        write = self._writer.write
        for value in values:
            if isinstance(value, BlockRead):
                continue
            for record in records_of(value, to_micros(datetime.now(UTC))):
                write(*record)
        self._writer.poll()

    def snapshot(self) -> None:
        """Wait until all is on the log: the engine commits the epoch after this."""
        self._writer.flush()

    def close(self) -> None:
        """The input has ended or was stopped."""
        self._writer.flush()


def records_of(value: StockOutcome | list[DeadRecord], now: int) -> Iterator[OutRecord]:
    """What an item has to say; alerts first, for somebody waits for them."""
    if isinstance(value, list):
        yield from map(dead_letter, value)
        return
    yield from withdrawn_alerts(value.withdrawn, now)
    yield from alerts(value.alerts)
    yield from positions(value.positions)
    yield from map(refused_event, value.refusals)


class KafkaSink(FixedPartitionedSink[Item, None]):
    """Outcomes of the stock flow to the log's topics."""

    def __init__(self, settings: Brokers) -> None:
        self._settings = settings

    def list_parts(self) -> list[str]:
        """The one partition: it keeps the order of a key, and one producer is fast enough."""
        return [PARTITION]

    def part_fn(self, item_key: str) -> int:
        """Everything goes to the one partition."""
        return 0

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> KafkaSinkPartition:
        """A producer in the process that writes."""
        return KafkaSinkPartition(TopicWriter(self._settings))
