"""What the keeper needs of a log to read; the command gives it Kafka."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sinks.kafka.producer import Brokers

# topic -> partition -> offset to read next
Offsets = Mapping[str, Mapping[int, int]]


class LogAway(Exception):
    """The log does not answer or lacks a topic; the message says what to do."""


class LogLost(Exception):
    """Where reading was to go on is no longer on the log."""


class Record(Protocol):
    """One record of the log."""

    @property
    def value(self) -> bytes | None:
        """What it says."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Its attributes."""

    @property
    def timestamp_ms(self) -> int:
        """When it was written, or -1."""


class Block(Protocol):
    """Records of one partition, in their order."""

    @property
    def topic(self) -> str:
        """Where they stood."""

    @property
    def partition(self) -> int:
        """Where in the topic."""

    @property
    def records(self) -> Sequence[Record]:
        """The records."""


class Reader(Protocol):
    """Reads topics from where it was told to begin."""

    def read(self, timeout: float) -> Sequence[Block]:
        """What is there; waits at most so long. Raises LogLost."""

    def ended(self) -> bool:
        """Whether all was read that was there at the start."""

    def offsets(self) -> Offsets:
        """Where to go on."""

    def close(self) -> None:
        """Let go of the brokers."""


class Log(Protocol):
    """A log to read and to write."""

    @property
    def brokers(self) -> Brokers:
        """How a writer reaches it."""

    def reader(self, topics: Sequence[str], offsets: Offsets | None = None) -> Reader:
        """A reader from the beginning or from `offsets`; raises LogAway, LogLost."""
