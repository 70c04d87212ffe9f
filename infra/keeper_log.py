"""Kafka as the log of the gate's keeper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from operators.records import RecordBlock
from serving.keeper.ports import LogAway, LogLost, Offsets
from sources.kafka.errors import BrokerError, LostOffsetError
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings
from sources.kafka.topics import check_topics

GROUP = "tillflow-keeper"


T = TypeVar("T")


def _told(work: Callable[[], T]) -> T:
    try:
        return work()
    except LostOffsetError as wrong:
        said = str(wrong).partition(" Give --recovery")[0]
        raise LogLost(said) from wrong
    except BrokerError as wrong:
        raise LogAway(str(wrong)) from wrong


class KafkaLog:
    """Readers of topics that are there; `create` makes them where they are not."""

    def __init__(self, settings: KafkaSettings, *, create: bool = False) -> None:
        self.brokers = settings
        self._create = create

    def reader(self, topics: Sequence[str], offsets: Offsets | None = None) -> KafkaReader:
        """A reader; it belongs to no group that decides what it reads.

        Raises:
            LogAway: no broker answers, or a topic is missing.
            LogLost: where to go on is gone.
        """
        kept = {topic: dict(each) for topic, each in (offsets or {}).items()}

        def opened() -> RecordReader:
            check_topics(self.brokers, topics, create=self._create)
            return RecordReader(self.brokers, topics, GROUP, kept)

        return KafkaReader(_told(opened))


class KafkaReader:
    """A reader whose errors are those of the keeper."""

    def __init__(self, reader: RecordReader) -> None:
        self._reader = reader
        self.ended: Callable[[], bool] = reader.ended
        self.close: Callable[[], None] = reader.close

    def read(self, timeout: float) -> Sequence[RecordBlock]:
        """What is there."""
        return _told(lambda: self._reader.read(timeout))

    def offsets(self) -> Mapping[str, Mapping[int, int]]:
        """Where to go on."""
        return self._reader.offsets()
