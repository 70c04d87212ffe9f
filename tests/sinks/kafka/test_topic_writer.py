"""What a writer has flushed is on the log, and what is not is an error with topic and reason."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from broker import Broker, free_port, start_broker
from confluent_kafka import Consumer, TopicPartition

from operators.stock.decode import BlockRead
from operators.stock.refusals import Refusal
from operators.stock.shard import empty_outcome
from sinks.kafka import producer
from sinks.kafka.events import records_of
from sinks.kafka.partition import LogSink
from sinks.kafka.producer import DeliveryError, TopicWriter
from sources.kafka.settings import KafkaSettings

KEEPS = Broker.keeps_data


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that nobody stops."""
    with start_broker(tmp_path_factory.mktemp("broker")) as started:
        yield started


def values(broker: Broker, topic: str, count: int, partition: int = 0) -> list[bytes | None]:
    """The first records of a partition."""
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "check"})
    try:
        consumer.assign([TopicPartition(topic, partition, 0)])
        return [message.value() for message in consumer.consume(count, timeout=10)]
    finally:
        consumer.close()


@pytest.mark.parametrize("idempotence", [True, False])
def test_flushed_is_there(broker: Broker, idempotence: bool) -> None:
    """All of it, in order."""
    topic = f"there-{idempotence}"
    broker.create(topic, 1)
    writer = TopicWriter(KafkaSettings(broker.address, idempotence=idempotence))
    for number in range(5_000):
        writer.write(topic, b"k", b"%d" % number)
    writer.flush()
    assert values(broker, topic, 5_000) == [b"%d" % number for number in range(5_000)]


def test_full_queue_waits(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than fits into the client's memory goes out all the same."""
    monkeypatch.setattr(producer, "WAITING_KB", 64)
    broker.create("full", 1)
    writer = TopicWriter(KafkaSettings(broker.address))
    for number in range(3_000):
        writer.write("full", None, b"%d" % number + bytes(500))
    writer.flush()
    found = values(broker, "full", 3_000)
    assert [int((value or b"").rstrip(b"\0")) for value in found] == list(range(3_000))


def test_nobody_takes_it() -> None:
    """Topic and reason are in the error; what failed once is not reported again."""
    address = f"127.0.0.1:{free_port()}"
    writer = TopicWriter(KafkaSettings(address), delivery_seconds=0.3)
    writer.write("lost", b"k", b"v")
    writer.write("lost", b"k", b"w")
    with pytest.raises(DeliveryError, match=rf"kafka {address} .*topic lost: .*timed out.*1 more"):
        writer.flush()
    writer.flush()


def test_late_is_an_error(broker: Broker) -> None:
    """A broker that does not answer in time; the records still arrive when it does."""
    broker.create("late", 1)
    writer = TopicWriter(KafkaSettings(broker.address))
    broker.pause()
    writer.write("late", b"k", b"v")
    with pytest.raises(DeliveryError, match=r"has not taken 1 records within 0\.2 s"):
        writer.flush(0.2)
    broker.resume()
    writer.flush()
    assert values(broker, "late", 1) == [b"v"]


def test_too_large(broker: Broker) -> None:
    """It says at once which topic it was for."""
    broker.create("large", 1)
    writer = TopicWriter(KafkaSettings(broker.address))
    with pytest.raises(DeliveryError, match=r"topic large: .*too large"):
        writer.write("large", b"k", bytes(10_000_000))
    writer.write("large", b"k", b"small")
    writer.flush()
    assert values(broker, "large", 1) == [b"small"]


def test_broker_that_is_started_again(tmp_path: Path) -> None:
    """A writer goes on with a broker that kept its data; one that lost it is an error first."""
    with start_broker(tmp_path) as broker:
        broker.create("again", 1)
        writer = TopicWriter(KafkaSettings(broker.address), delivery_seconds=2 + 28 * KEEPS)
        writer.write("again", b"k", b"0")
        writer.flush()
        broker.kill()
        broker.start()
        if KEEPS:
            writer.write("again", b"k", b"1")
            writer.flush()
            assert values(broker, "again", 2) == [b"0", b"1"]
            return
        # Tansu has forgotten whom it knew and takes nothing from him: that must not go unsaid.
        broker.create("again", 1)
        writer.write("again", b"k", b"1")
        with pytest.raises(DeliveryError, match="topic again"):
            writer.flush()
        writer.write("again", b"k", b"1")
        writer.flush()
        assert values(broker, "again", 1) == [b"1"]


def test_epoch_ends_when_all_is_there(broker: Broker) -> None:
    """The sink's snapshot returns when the broker has everything, and fails when it has not."""
    broker.create("tillflow.dead_letter.v1", 1)
    refusal = Refusal("moves/0", 1, "too_late", "too late", "till", "e1", 1, b"")
    sink = LogSink(KafkaSettings(broker.address), partial(records_of, now=0))
    [name] = sink.list_parts()
    part = sink.build_part("kafka", name, None)
    part.write_batch([empty_outcome([refusal]), BlockRead(1, 0, 0, None)])
    part.snapshot()
    assert values(broker, "tillflow.dead_letter.v1", 1) == [None]


def test_epoch_fails_when_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that does not arrive stops the flow: its epoch is not committed."""
    monkeypatch.setattr(producer, "DELIVERY_SECONDS", 0.3)
    sink = LogSink(KafkaSettings(f"127.0.0.1:{free_port()}"), partial(records_of, now=0))
    part = sink.build_part("kafka", "kafka", None)
    refusal = Refusal("moves/0", 1, "too_late", "too late", "till", "e1", 1, b"")
    part.write_batch([empty_outcome([refusal])])
    with pytest.raises(DeliveryError, match=r"tillflow\.dead_letter\.v1"):
        part.snapshot()
