"""Reads alerts for the hooks worker: from Kafka, a file of JSON Lines, or a warehouse."""

from __future__ import annotations

from pathlib import Path

import duckdb
import msgspec

from operators.notify.inbox import notice_of_envelope
from operators.notify.notice import Notice, notice_of
from operators.records import Record
from schemas.alert import ALERT_TYPE
from schemas.staffing import STAFFING_ALERT_TYPE
from schemas.transfer import TRANSFER_SUGGESTION_TYPE
from sources import inboxes
from sources.inboxes import Positions
from sources.kafka.settings import KafkaSettings

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


class WarehouseInbox(inboxes.WarehouseInbox[Notice]):
    """The table stock_alert: alerts that are open, or changed within two days of the newest."""

    def __init__(self, path: Path, every_seconds: float = 5.0) -> None:
        super().__init__(path, every_seconds)
        self._seen: dict[str, str] = {}

    def _fresh(self, connection: duckdb.DuckDBPyConnection) -> list[Notice]:
        found = connection.execute(
            "SELECT * FROM stock_alert WHERE status <> 'cleared' OR updated_at >= "
            "(SELECT max(updated_at) FROM stock_alert) - INTERVAL 2 DAY ORDER BY updated_at"
        )
        names = [column[0] for column in found.description or ()]
        fresh = []
        for values in found.fetchall():
            row = dict(zip(names, values, strict=True))
            for name in ("claims", "evidence"):
                row[name] = msgspec.json.decode(row[name])
            notice = notice_of(ALERT_TYPE, msgspec.json.encode(row))
            if notice is not None and self._seen.get(notice.alert) != notice.state:
                self._seen[notice.alert] = notice.state
                fresh.append(notice)
        return fresh
