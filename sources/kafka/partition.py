"""The log as Bytewax reads it: a fixed number of engine partitions, whatever the topics are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from operators.records import RecordBlock
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings
from sources.kafka.shares import Offsets, Share

# The engine panics when a partition of an earlier run is gone, and a topic may well go. So its
# partitions are shares of whatever there is: part of the stored state, never to be changed. So
# many processes can read at most; each share is a client with some threads.
SHARES = 4
FORMAT = 1
# How soon the client's queue is looked at again when it was empty.
POLL = timedelta(milliseconds=3)
# A share without partitions only waits for some to be added.
IDLE_POLL = timedelta(milliseconds=100)

# format and offsets: plain values
Snapshot = tuple[int, Offsets]


class KafkaPartition(StatefulSourcePartition[RecordBlock, Snapshot]):
    """Hands out blocks of records; ends when asked to, or at the end of what there was."""

    def __init__(self, reader: RecordReader, stop: Event, *, tail: bool) -> None:
        self._reader = reader
        self._stop = stop
        self._tail = tail
        self._awake: datetime | None = None
        self._durable: Offsets = {}

    def next_batch(self) -> Iterable[RecordBlock]:
        """What is there; StopIteration ends the input."""
        if self._stop.is_set():
            raise StopIteration
        blocks = self._reader.read()
        if blocks:
            self._awake = None
            return blocks
        if not self._tail and self._reader.ended():
            raise StopIteration
        self._awake = datetime.now(UTC) + (POLL if self._reader.busy() else IDLE_POLL)
        return []

    def next_awake(self) -> datetime | None:
        """When to be asked again after nothing was there."""
        return self._awake

    def read_up(self) -> bool:
        """Whether all was handed out that was there at the start."""
        return self._reader.ended()

    def snapshot(self) -> Snapshot:
        """Where to resume; what the snapshot before said is durable by now, so the group is told.

        The engine lets a partition begin an epoch only when the one before is committed.
        """
        self._reader.commit(self._durable)
        self._durable = self._reader.offsets()
        return (FORMAT, self._durable)

    def close(self) -> None:
        """The input has ended or was stopped."""
        self._reader.commit(self._reader.offsets())
        self._reader.close()


class KafkaSource(FixedPartitionedSource[RecordBlock, Snapshot]):
    """Topics as a source of blocks of records; with `tail` it never ends by itself."""

    def __init__(
        self,
        settings: KafkaSettings,
        topics: Sequence[str],
        group: str,
        stop: Event,
        *,
        tail: bool = True,
    ) -> None:
        self._settings = settings
        self._topics = tuple(topics)
        self._group = group
        self._stop = stop
        self._tail = tail

    def list_parts(self) -> list[str]:
        """The shares, the same in every run."""
        return [f"kafka-{number:02d}" for number in range(SHARES)]

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> KafkaPartition:
        """The reader of a share, where it left off."""
        offsets: Offsets | None = None
        if resume_state is not None:
            version, offsets = resume_state
            assert version == FORMAT, f"offsets of format {version}: made by a newer tillflow"
        share = Share(int(for_part.rpartition("-")[2]), SHARES)
        reader = RecordReader(self._settings, self._topics, self._group, offsets, share=share)
        return KafkaPartition(reader, self._stop, tail=self._tail)
