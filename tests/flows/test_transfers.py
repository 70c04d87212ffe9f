"""The transfers flow on a real broker: suggested, answered, sent, received, stopped and resumed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from broker import Broker, start_broker
from click.testing import CliRunner
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from flow_driver import wait_until
from transfer_world import SKU, position

from flows.settings import StockSettings
from flows.transfers import transfer_settings
from infra.cli import main
from schemas.transfer import TransferSuggestion
from sinks.kafka.events import OutRecord, to_record
from sinks.kafka.producer import TopicWriter
from sinks.transfers.records import TOPICS_WRITTEN
from sinks.transfers.table import TransferTable
from sinks.warehouse.client import Warehouse
from sources.kafka.settings import KafkaSettings

CLI = "import sys; from infra.cli import main; main(sys.argv[1:])"
RULES: dict[str, Any] = {
    "transfers": {
        "settle_seconds": 0.2,
        "replan_minutes": 0.002,
        "terms": [{"unit_margin": 1000}],
        "routes": [{"fixed_cost": 100, "unit_cost": 10, "lead_time_hours": 2}],
        "min_net_benefit": 100,
    }
}


class Shop:
    """A broker, a flow in a process of its own, and what both are told and say."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.folder = folder
        self.broker = broker
        self.settings = KafkaSettings(broker.address)
        self.writer = TopicWriter(self.settings)
        (folder / "chain.yaml").write_text(yaml.safe_dump(RULES), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None
        self.consumer = Consumer(
            {
                "bootstrap.servers": broker.address,
                "group.id": "watcher",
                "fetch.wait.max.ms": 20,
            }
        )
        self.seen: dict[str, TransferSuggestion] = {}
        self.refused: list[Any] = []

    def start(self) -> None:
        arguments = ["transfers", "run", "--kafka", self.broker.address, "--create-topics"]
        arguments += ["--warehouse", str(self.folder / "shop.duckdb"), "--epoch-seconds", "0.2"]
        arguments += ["--config", str(self.folder / "chain.yaml")]
        arguments += ["--recovery", str(self.folder / "recovery")]
        self.process = subprocess.Popen([sys.executable, "-c", CLI, *arguments])

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.process = None
        return code

    def follow(self, topics: list[str]) -> None:
        """Read topics from their beginning, without the wait of joining a group."""
        known = self.consumer.list_topics(timeout=10).topics
        self.consumer.assign(
            [
                TopicPartition(topic, number, OFFSET_BEGINNING)
                for topic in topics
                for number in known[topic].partitions
            ]
        )

    def tell(self, *records: OutRecord) -> None:
        for record in records:
            self.writer.write(*record)
        self.writer.flush()

    def watch(self) -> dict[str, str]:
        """The newest status of every suggestion that was said on the log."""
        while (message := self.consumer.poll(0.1)) is not None:
            assert message.error() is None
            if message.topic() == TOPICS_WRITTEN[-1]:
                self.refused.append(dict(message.headers() or [])["tillflow_reason_code"])
                continue
            value = message.value()
            assert value is not None
            one = msgspec.json.decode(value, type=TransferSuggestion)
            self.seen[one.suggestion] = one
        return {name: one.status for name, one in self.seen.items()}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with start_broker(tmp_path / "broker") as broker:
        found = Shop(tmp_path, broker)
        try:
            yield found
        finally:
            if found.process is not None:
                found.stop(signal.SIGKILL)
            found.consumer.close()


def now() -> str:
    return datetime.now(UTC).isoformat()


def placed(place: str, available: int, version: int) -> OutRecord:
    fresh = position(place, available, version=version, as_of=datetime.now(UTC))
    name = f"{SKU}@{place}"
    return to_record(
        "stock.position.v1", "tillflow/stock", f"{name}#{version}", now(), fresh, key=name
    )


def moved(event: str, kind: str, place: str, quantity: int, **more: str) -> OutRecord:
    data = {"sku": SKU, "place": place, "kind": kind, "quantity": quantity, **more}
    return to_record("stock.movement.v1", "erp", event, now(), data, key=SKU)


def test_a_transfer_from_suggestion_to_receipt_through_a_stop_and_a_kill(shop: Shop) -> None:
    shop.start()
    topics = [TOPICS_WRITTEN[0], TOPICS_WRITTEN[-1]]

    def there() -> bool:
        known = shop.consumer.list_topics(timeout=5).topics
        return all(topic in known for topic in topics)

    wait_until(there, "the topics were not made")
    shop.follow(topics)
    shop.tell(placed("A", 60, 1), placed("B", 0, 1))
    name = f"{SKU}/A>B/1"
    wait_until(lambda: shop.watch().get(name) == "proposed", "nothing was suggested")
    assert shop.stop() == 0
    # Answered while the flow was away; a wrong answer does no harm.
    environment = {"TILLFLOW_KAFKA": shop.broker.address}
    for arguments in (["accept", name, "--transfer", "T-1"], ["reject", f"{SKU}/A>B/77"]):
        answered = CliRunner().invoke(main, ["transfers", *arguments], env=environment)
        assert answered.exit_code == 0, answered.output
    shop.start()
    wait_until(lambda: shop.watch().get(name) == "accepted", "the answer was not followed")
    sent = moved("o1", "transfer_out", "A", shop.seen[name].quantity, to_place="B", transfer="T-1")
    shop.tell(sent)
    wait_until(lambda: shop.watch().get(name) == "shipped", "the goods were not seen to leave")
    wait_until(lambda: bool(shop.watch()) and bool(shop.refused), "no dead letter")
    shop.stop(signal.SIGKILL)
    shop.start()
    shop.tell(sent, moved("i1", "transfer_in", "B", shop.seen[name].quantity, transfer="T-1"))
    wait_until(lambda: shop.watch().get(name) == "executed", "the goods were not received")
    assert shop.stop() == 0
    assert shop.refused[0] == b"unknown_suggestion"
    assert list(shop.watch()) == [name]
    warehouse = Warehouse(shop.folder / "shop.duckdb")
    states = TransferTable(warehouse).states()
    dead = warehouse.execute("SELECT reason_code, event_id FROM dead_letter")
    warehouse.close()
    assert [(one.status, one.version) for one in states] == [
        ("proposed", 1),
        ("accepted", 2),
        ("shipped", 3),
        ("executed", 4),
    ]
    assert states[-1] == shop.seen[name]
    assert dead == [("unknown_suggestion", f"{SKU}/A>B/77")]


def test_without_brokers_the_flow_says_what_to_do(tmp_path: Path) -> None:
    settings = StockSettings(source="x", warehouse=tmp_path / "w.duckdb")
    with pytest.raises(Exception, match="tillflow transfers plan"):
        transfer_settings(settings)
