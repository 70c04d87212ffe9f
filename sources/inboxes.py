"""Reads for a worker: from Kafka, a file of JSON Lines, or the tables of a warehouse file."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import duckdb

from operators.inbox import Batch, Position, Refused, Unreadable
from operators.records import Record
from sources.kafka.errors import LostOffsetError
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings
from sources.kafka.shares import Offsets

LOG = logging.getLogger("tillflow.inboxes")

# What a record may wait for others of its batch.
POLL_SECONDS = 0.01
# How soon a line that was added to a file is seen; nothing wakes a reader of a file.
FILE_PAUSE_SECONDS = 0.02
FILE_BLOCK_BYTES = 1 << 20

T = TypeVar("T")
Positions = Mapping[tuple[str, int], int]


class KafkaInbox(Generic[T]):
    """Topics, from the offsets of the worker's own store; no group decides for it."""

    def __init__(
        self,
        settings: KafkaSettings,
        group: str,
        positions: Positions,
        topics: Sequence[str],
        decode: Callable[[Record, str], T | None],
    ) -> None:
        self._decode = decode
        offsets: Offsets = {}
        for (topic, part), offset in positions.items():
            if topic in topics:
                offsets.setdefault(topic, {})[part] = offset
        with _told_of_loss():
            self._reader = RecordReader(settings, tuple(topics), group, offsets)

    def read(self, timeout: float) -> Batch[T]:
        """What is there; waits for something at most so many seconds."""
        batch: Batch[T] = Batch([], [], [])
        deadline = time.monotonic() + timeout
        with _told_of_loss():
            # The client waits out its whole time for more, however many records it has already.
            while not (blocks := self._reader.read(min(timeout, POLL_SECONDS))):
                if time.monotonic() >= deadline:
                    break
        for block in blocks:
            for record in block.records:
                try:
                    item = self._decode(record, block.topic)
                except Unreadable as wrong:
                    raw = record.value or b""
                    refused = Refused(block.topic, block.partition, record.offset, str(wrong), raw)
                    batch.refused.append(refused)
                else:
                    if item is not None:
                        batch.items.append(item)
            following = block.records[-1].offset + 1
            batch.positions.append(Position(block.topic, block.partition, following))
        return batch

    def ended(self) -> bool:
        """Whether all was read that was there at the start."""
        return self._reader.ended()

    def close(self) -> None:
        """Let go of the brokers."""
        self._reader.close()


@contextmanager
def _told_of_loss() -> Iterator[None]:
    """Says what the worker's operator can do about records that are gone."""
    try:
        yield
    except LostOffsetError as wrong:
        said = str(wrong).partition(" Give --recovery")[0].removesuffix(".")
        msg = (
            f"{said}. What lay in between was not read. Start with --forget-positions to go on "
            "with what is there; what was told already is not told again"
        )
        raise LostOffsetError(msg) from wrong


class FileInbox(Generic[T]):
    """A file of events, one a line, that may grow while it is read."""

    def __init__(
        self, path: Path, positions: Positions, decode: Callable[[bytes], T | None]
    ) -> None:
        self._decode = decode
        self._name = str(path)
        self._file = path.open("rb")
        self._at = positions.get((self._name, 0), 0)
        size = path.stat().st_size
        if size < self._at:
            self._file.close()
            msg = (
                f"{path} has {size} bytes, and {self._at} were read before: it is another file. "
                "Give it another name, or start with --forget-positions"
            )
            raise ValueError(msg)
        self._end = size

    def read(self, timeout: float) -> Batch[T]:
        """Whole lines that are there; waits for some at most so many seconds."""
        deadline = time.monotonic() + timeout
        while not (block := self._lines()):
            left = deadline - time.monotonic()
            if left <= 0:
                return Batch([], [], [])
            time.sleep(min(left, FILE_PAUSE_SECONDS))
        batch: Batch[T] = Batch([], [], [])
        at = self._at
        for line in block.splitlines(keepends=True):
            try:
                item = self._decode(line) if line.strip() else None
            except Unreadable as wrong:
                batch.refused.append(Refused(self._name, 0, at, str(wrong), line))
            else:
                if item is not None:
                    batch.items.append(item)
            at += len(line)
        self._at = at
        batch.positions.append(Position(self._name, 0, at))
        return batch

    def _lines(self) -> bytes:
        """Whole lines only: the last one may still be in writing."""
        self._file.seek(self._at)
        size = FILE_BLOCK_BYTES
        while True:
            block = self._file.read(size)
            whole = block[: block.rfind(b"\n") + 1]
            if whole or len(block) < size:
                return whole
            size *= 2
            self._file.seek(self._at)

    def ended(self) -> bool:
        """Whether all was read that was there at the start."""
        return self._at >= self._end or not self._lines()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class WarehouseInbox(ABC, Generic[T]):
    """Tables of a warehouse file, looked at every so often while no flow writes it."""

    def __init__(self, path: Path, every_seconds: float = 5.0) -> None:
        self._path = path
        self._every = every_seconds
        self._next = 0.0
        self._looked = False

    @abstractmethod
    def _fresh(self, connection: duckdb.DuckDBPyConnection) -> list[T]:
        """What the tables say and was not yet given."""

    def read(self, timeout: float) -> Batch[T]:
        """What is there and was not yet given; waits for its time at most so many seconds."""
        left = self._next - time.monotonic()
        if left > 0:
            time.sleep(min(left, timeout))
        if time.monotonic() < self._next:
            return Batch([], [], [])
        self._next = time.monotonic() + self._every
        try:
            connection = duckdb.connect(str(self._path), read_only=True)
        except duckdb.IOException as wrong:
            LOG.info("%s cannot be read just now: %s", self._path, str(wrong).partition("\n")[0])
            return Batch([], [], [])
        try:
            connection.execute("SET TimeZone = 'UTC'")
            fresh = self._fresh(connection)
        finally:
            connection.close()
        self._looked = True
        return Batch(fresh, [], [])

    def ended(self) -> bool:
        """Whether the tables were looked at."""
        return self._looked

    def close(self) -> None:
        """Nothing is kept open: the file belongs to the flow that writes it."""
