"""Reads alerts for the hooks worker: from Kafka, a file of JSON Lines, or a warehouse."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from operators.inbox import Batch
from operators.notify.inbox import notice_of_envelope
from operators.notify.notice import Notice, notice_of
from operators.records import Record
from schemas.alert import ALERT_TYPE
from schemas.staffing import STAFFING_ALERT_TYPE
from schemas.transfer import TRANSFER_SUGGESTION_TYPE
from sources import inboxes
from sources.inboxes import Positions
from sources.kafka.settings import KafkaSettings

LOG = logging.getLogger("tillflow.hooks")

TOPICS = (ALERT_TYPE, TRANSFER_SUGGESTION_TYPE, STAFFING_ALERT_TYPE)
STRUCTURED = b"application/cloudevents+json"


class KafkaInbox(inboxes.KafkaInbox[Notice]):
    """The alert topics."""

    def __init__(self, settings: KafkaSettings, group: str, positions: Positions) -> None:
        super().__init__(settings, group, positions, TOPICS, _notice_of_record)


class FileInbox(inboxes.FileInbox[Notice]):
    """A file of events, one a line, that may grow while it is read."""

    def __init__(self, path: Path, positions: Positions) -> None:
        super().__init__(path, positions, notice_of_envelope)


def _notice_of_record(record: Record, topic: str) -> Notice | None:
    if record.value is None:
        return None
    headers = dict(record.headers)
    content = headers.get("content-type") or b""
    kind = headers.get("ce_type")
    if content.startswith(STRUCTURED) or (kind is None and b'"specversion"' in record.value):
        return notice_of_envelope(record.value)
    return notice_of(kind.decode("utf-8", "replace") if kind else topic, record.value)


class WarehouseInbox:
    """The table stock_alert of a warehouse, looked at every so often while no flow writes it."""

    def __init__(self, path: Path, every_seconds: float = 5.0) -> None:
        self._path = path
        self._every = every_seconds
        self._next = 0.0
        self._seen: dict[str, str] = {}
        self._looked = False

    def read(self, timeout: float) -> Batch[Notice]:
        """Alerts that are open, or changed within two days of the newest change."""
        left = self._next - time.monotonic()
        if left > 0:
            time.sleep(min(left, timeout))
        batch: Batch[Notice] = Batch([], [], [])
        if time.monotonic() < self._next:
            return batch
        self._next = time.monotonic() + self._every
        for row in self._rows():
            notice = notice_of(ALERT_TYPE, msgspec.json.encode(row))
            if notice is not None and self._seen.get(notice.alert) != notice.state:
                self._seen[notice.alert] = notice.state
                batch.items.append(notice)
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
