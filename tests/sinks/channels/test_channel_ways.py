"""Decisions from Kafka and from a warehouse, results back into both."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from broker import start_broker
from channel_server import ChannelServer, start_channel_server
from channel_world import ENV, configured, decided, erased

from operators.channels.heard import TOPICS
from operators.journeys.decisions import Decision
from schemas.instants import HOUR_US, to_micros
from schemas.journey_rules import JourneysConfig
from schemas.journey_tables import MESSAGE
from schemas.member_tables import MEMBER_STATE
from schemas.message_events import MessageOutcome
from sinks.channels.telling import TOPICS_WRITTEN, KafkaTeller, Tellers, WarehouseTeller
from sinks.channels.worker import Worker
from sinks.kafka.producer import TopicWriter
from sinks.loop import wall_clock
from sinks.members.journey_rows import message_row
from sinks.warehouse.client import Warehouse
from sinks.warehouse.tuple_rows import rows_table
from sources.decisions import KafkaInbox, WarehouseInbox
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings

RULES = JourneysConfig(quiet_hours=None)


def test_from_the_log_and_back(tmp_path: Path) -> None:
    """Two runs; the second reads on where the first was, and the erased one leaves no row."""
    warehouse = tmp_path / "w.duckdb"
    with start_broker(tmp_path / "broker") as broker, start_channel_server() as server:
        for topic in (*TOPICS, *TOPICS_WRITTEN):
            broker.create(topic, 1)
        settings = KafkaSettings(broker.address)
        log = TopicWriter(settings)
        made = configured(server.address, tmp_path)
        teller = Tellers([KafkaTeller(settings), WarehouseTeller(warehouse)])
        # It stands still: on a slow machine receipts would be asked for meanwhile.
        now = wall_clock()

        def run() -> None:
            store = tmp_path / "c.sqlite"
            with Worker(made, RULES, store, ENV, teller, clock=lambda: now) as worker:
                inbox = KafkaInbox(settings, worker.store.positions())
                worker.run(inbox, threading.Event(), once=True)
                inbox.close()

        for number in (1, 2):
            log.write("message.decided.v1", b"m", decided(number))
        log.write("message.decided.v1", b"m", decided(3, ("pigeon",)))
        log.flush()
        run()
        log.write("message.decided.v1", b"m", decided(1))
        log.write("member.erased.v1", b"m", erased(2))
        log.flush()
        run()
        reader = RecordReader(settings, TOPICS_WRITTEN, "check", {})
        told = []
        while not reader.ended():
            for block in reader.read(0.2):
                told += [
                    msgspec.json.decode(one.value or b"", type=MessageOutcome)
                    for one in block.records
                ]
        reader.close()
    assert sorted((one.member, one.status, one.reason) for one in told) == [
        ("m1", "accepted", ""),
        ("m2", "accepted", ""),
        ("m3", "failed", "no_channel"),
    ]
    assert [one.address for one in server.arrived] == ["13800000001", "13800000002"]
    with closing(Warehouse(warehouse)) as opened:
        rows = opened.execute("SELECT member, channel, status FROM message_delivery ORDER BY ALL")
    assert rows == [("m1", "sms", "accepted"), ("m3", "pigeon", "failed")]


def decision(number: int, now: int, **more: object) -> Decision:
    about: dict[str, object] = {
        "id": f"{number:032x}",
        "member": f"m{number}",
        "journey": "j",
        "journey_version": "1",
        "entry": "e",
        "step": "1",
        "action": "send",
        "decision": "go",
        "reason": "",
        "decided_at": now,
        "first_due": now,
        "next_at": None,
        "not_after": now + HOUR_US,
        "message_class": "marketing",
        "channels": ("sms",),
        "text": "words",
        "template": "",
        "first_available": True,
        "gift": None,
        "valid_seconds": None,
        "tags": (),
        "held_out": False,
        "experiment": "",
        "arm": "",
        "zone": "Asia/Shanghai",
        "segment": None,
        "visits": 1,
        "spent": 1,
    }
    return Decision(**about | more)  # type: ignore[arg-type]


def test_from_a_warehouse_and_back(server: ChannelServer, tmp_path: Path) -> None:
    path, now = tmp_path / "w.duckdb", to_micros(datetime.now(UTC))
    said = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    consents = {"marketing/any": {"status": "withdrawn", "at": said}}
    rows = [
        decision(1, now),
        decision(2, now, decision="suppress"),
        decision(3, now, action="give"),
        decision(4, now, not_after=now - 1),
        decision(5, now),
        decision(6, now),
        decision(7, now, held_out=True),
    ]
    states = [("m5", "active", msgspec.json.encode(consents).decode()), ("m6", "erased", "{}")]
    with closing(Warehouse(path)) as opened:
        opened.upsert(MESSAGE, rows_table(MESSAGE, [message_row(one) for one in rows]))
        blank = {column.name: None if column.nullable else 0 for column in MEMBER_STATE.columns}
        for member, status, consent in states:
            row = blank | {"member": member, "status": status, "consents": consent}
            row["currency"] = "CNY"
            opened.upsert(MEMBER_STATE, rows_table(MEMBER_STATE, [tuple(row.values())]))
    made = configured(server.address, tmp_path)
    for _ in range(2):
        with Worker(made, RULES, tmp_path / "c.sqlite", ENV, WarehouseTeller(path)) as worker:
            worker.run(WarehouseInbox(path), threading.Event(), once=True)
    assert [one.address for one in server.arrived] == ["13800000001"]
    with closing(Warehouse(path)) as opened:
        found = opened.execute("SELECT member, status, reason FROM message_delivery ORDER BY ALL")
    assert found == [("m1", "accepted", ""), ("m5", "failed", "consent")]


def test_no_warehouse(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no warehouse at"):
        WarehouseInbox(tmp_path / "w.duckdb")
