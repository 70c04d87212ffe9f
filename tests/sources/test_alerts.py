"""Alerts from Kafka, a file and a warehouse: each from where it left off."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from broker import start_broker
from hook_alerts import alert, configured, environment, route, writer
from hook_server import start_hook_server
from small_warehouse import small_warehouse

from operators.inbox import Inbox
from operators.notify.notice import Notice
from operators.notify.routing import Zones
from schemas.alert import ALERT_TYPE
from sinks.hooks.database import connect
from sinks.hooks.listing import counts
from sinks.hooks.worker import Worker
from sinks.kafka.producer import TopicWriter
from sinks.sending.store import refused
from sources.alerts import FileInbox, KafkaInbox, WarehouseInbox
from sources.kafka.settings import KafkaSettings


def binary(line: bytes) -> tuple[bytes, list[tuple[str, bytes | None]]]:
    """The same event as Kafka has it."""
    event = msgspec.json.decode(line)
    headers: list[tuple[str, bytes | None]] = [
        (f"ce_{name}", value.encode()) for name, value in event.items() if name != "data"
    ]
    return msgspec.json.encode(event["data"]), headers


def test_the_topic_is_read_from_the_offsets_of_the_store(tmp_path: Path) -> None:
    store = tmp_path / "hooks.sqlite"
    with start_broker(tmp_path / "broker") as broker, start_hook_server() as server:
        broker.create(ALERT_TYPE, 2)
        settings = KafkaSettings(broker.address)
        log = TopicWriter(settings)

        def run() -> dict[str, int]:
            hooks = configured(server, route("all", "webhook"))
            zones = Zones("Asia/Shanghai")
            with Worker(hooks, store, zones, writer(), environment(server)) as worker:
                inbox = KafkaInbox(settings, "hooks", worker.store.positions())
                worker.run(inbox, threading.Event(), once=True)
                inbox.close()
            with closing(connect(store)) as connection:
                return counts(connection)

        value, headers = binary(alert(1))
        log.write(ALERT_TYPE, b"TEA-1@S01", value, headers)
        log.write(ALERT_TYPE, b"TEA-2@S01", alert(2), ())  # structured mode
        log.write(ALERT_TYPE, b"TEA-3@S01", b"{}", headers)
        log.flush()
        assert run() == {"sent": 2}
        value, headers = binary(alert(1, "cleared", 3))
        log.write(ALERT_TYPE, b"TEA-1@S01", value, headers)
        log.flush()
        assert run() == {"sent": 3}
        assert run() == {"sent": 3}
        kinds = [each.body["alerts"][0]["kind"] for each in server.taken]
    assert sorted(kinds) == ["cleared", "raised", "raised"]
    with closing(connect(store)) as connection:
        ((where, why),) = refused(connection)
    assert where.startswith(ALERT_TYPE)
    assert "missing required field" in why


def test_a_file_is_read_in_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    lines = alert(1) + alert(2)
    path.write_bytes(lines[:-10])
    inbox = FileInbox(path, {})
    first = inbox.read(0)
    assert [notice.sku for notice in first.items] == ["TEA-1"]
    path.write_bytes(lines)
    assert [notice.sku for notice in inbox.read(0).items] == ["TEA-2"]
    assert inbox.read(0).positions == []
    inbox.close()
    again = FileInbox(path, {(str(path), 0): first.positions[0].next})
    assert [notice.sku for notice in again.read(0).items] == ["TEA-2"]
    again.close()
    with pytest.raises(ValueError, match="another file"):
        FileInbox(path, {(str(path), 0): len(lines) + 1})


def test_a_line_longer_than_a_block_is_read(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(alert(1, suggested_action="x" * (3 << 20)) + alert(2))
    inbox: Inbox[Notice] = FileInbox(path, {})
    assert [notice.sku for notice in inbox.read(0).items] == ["TEA-1", "TEA-2"]
    assert inbox.ended()
    inbox.close()


def test_open_alerts_of_a_warehouse_are_seen_once(tmp_path: Path) -> None:
    inbox = WarehouseInbox(small_warehouse(tmp_path / "w.duckdb"), every_seconds=0)
    seen = inbox.read(0).items
    assert seen
    assert any(notice.claims for notice in seen)
    assert inbox.read(0).items == []
    assert inbox.ended()


def test_a_warehouse_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    inbox = WarehouseInbox(tmp_path / "no.duckdb", every_seconds=0)
    assert inbox.read(0).items == []
    assert not inbox.ended()
