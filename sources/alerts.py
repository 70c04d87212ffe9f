"""Reads alerts for the hooks worker: from Kafka, a file of JSON Lines, or a warehouse."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from operators.notify.inbox import Batch, Position, Refused, notice_of_envelope
from operators.notify.notice import Notice, Unreadable, notice_of
from operators.records import Record
from schemas.alert import ALERT_TYPE
from schemas.staffing import STAFFING_ALERT_TYPE
from schemas.transfer import TRANSFER_SUGGESTION_TYPE
from sources.kafka.errors import LostOffsetError
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings
from sources.kafka.shares import Offsets

LOG = logging.getLogger("tillflow.hooks")

TOPICS = (ALERT_TYPE, TRANSFER_SUGGESTION_TYPE, STAFFING_ALERT_TYPE)
# What an alert may wait for others of its batch.
POLL_SECONDS = 0.01
# How soon a line that was added to a file is seen; nothing wakes a reader of a file.
FILE_PAUSE_SECONDS = 0.02
FILE_BLOCK_BYTES = 1 << 20
STRUCTURED = b"application/cloudevents+json"

Positions = Mapping[tuple[str, int], int]


class KafkaInbox:
    """The alert topics, from the offsets of the worker's own store; no group decides for it."""

    def __init__(self, settings: KafkaSettings, group: str, positions: Positions) -> None:
        offsets: Offsets = {}
        for (topic, part), offset in positions.items():
            if topic in TOPICS:
                offsets.setdefault(topic, {})[part] = offset
        with _told_of_loss():
            self._reader = RecordReader(settings, TOPICS, group, offsets)

    def read(self, timeout: float) -> Batch:
        """What is there; waits for something at most so many seconds."""
        batch = Batch([], [], [])
        deadline = time.monotonic() + timeout
        with _told_of_loss():
            # The client waits out its whole time for more, however many records it has already.
            while not (blocks := self._reader.read(min(timeout, POLL_SECONDS))):
                if time.monotonic() >= deadline:
                    break
        for block in blocks:
            for record in block.records:
                try:
                    notice = _notice_of_record(record, block.topic)
                except Unreadable as wrong:
                    raw = record.value or b""
                    refused = Refused(block.topic, block.partition, record.offset, str(wrong), raw)
                    batch.refused.append(refused)
                else:
                    if notice is not None:
                        batch.notices.append(notice)
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
            f"{said}. Alerts in between were not read. Start with --forget-positions to go on with "
            "what is there; what was told already is not told again"
        )
        raise LostOffsetError(msg) from wrong


def _notice_of_record(record: Record, topic: str) -> Notice | None:
    if record.value is None:
        return None
    headers = dict(record.headers)
    content = headers.get("content-type") or b""
    kind = headers.get("ce_type")
    if content.startswith(STRUCTURED) or (kind is None and b'"specversion"' in record.value):
        return notice_of_envelope(record.value)
    return notice_of(kind.decode("utf-8", "replace") if kind else topic, record.value)


class FileInbox:
    """A file of events, one a line, that may grow while it is read."""

    def __init__(self, path: Path, positions: Positions) -> None:
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

    def read(self, timeout: float) -> Batch:
        """Whole lines that are there; waits for some at most so many seconds."""
        deadline = time.monotonic() + timeout
        while not (block := self._lines()):
            left = deadline - time.monotonic()
            if left <= 0:
                return Batch([], [], [])
            time.sleep(min(left, FILE_PAUSE_SECONDS))
        batch = Batch([], [], [])
        at = self._at
        for line in block.splitlines(keepends=True):
            try:
                notice = notice_of_envelope(line) if line.strip() else None
            except Unreadable as wrong:
                batch.refused.append(Refused(self._name, 0, at, str(wrong), line))
            else:
                if notice is not None:
                    batch.notices.append(notice)
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


class WarehouseInbox:
    """The table stock_alert of a warehouse, looked at every so often while no flow writes it."""

    def __init__(self, path: Path, every_seconds: float = 5.0) -> None:
        self._path = path
        self._every = every_seconds
        self._next = 0.0
        self._seen: dict[str, str] = {}
        self._looked = False

    def read(self, timeout: float) -> Batch:
        """Alerts that are open, or changed within two days of the newest change."""
        left = self._next - time.monotonic()
        if left > 0:
            time.sleep(min(left, timeout))
        batch = Batch([], [], [])
        if time.monotonic() < self._next:
            return batch
        self._next = time.monotonic() + self._every
        for row in self._rows():
            notice = notice_of(ALERT_TYPE, msgspec.json.encode(row))
            if notice is not None and self._seen.get(notice.alert) != notice.state:
                self._seen[notice.alert] = notice.state
                batch.notices.append(notice)
        return batch

    def _rows(self) -> list[dict[str, Any]]:
        try:
            connection = duckdb.connect(str(self._path), read_only=True)
        except duckdb.IOException as wrong:
            LOG.info("%s cannot be read just now: %s", self._path, str(wrong).partition("\n")[0])
            return []
        try:
            connection.execute("SET TimeZone = 'UTC'")
            found = connection.execute(
                "SELECT * FROM stock_alert WHERE status <> 'cleared' OR updated_at >= "
                "(SELECT max(updated_at) FROM stock_alert) - INTERVAL 2 DAY ORDER BY updated_at"
            )
            names = [column[0] for column in found.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        finally:
            connection.close()
        self._looked = True
        for row in rows:
            for name in ("claims", "evidence"):
                row[name] = msgspec.json.decode(row[name])
        return rows

    def ended(self) -> bool:
        """Whether the table was looked at."""
        return self._looked

    def close(self) -> None:
        """Nothing is kept open: the file belongs to the flow that writes it."""
