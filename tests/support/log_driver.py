"""Writes lines to topics of a broker, and reads topics whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from broker import Broker
from confluent_kafka import Consumer, TopicPartition

from operators.records import Headers, Record
from sinks.kafka.producer import TopicWriter
from sources.kafka.settings import KafkaSettings

STRUCTURED = [("content-type", b"application/cloudevents+json")]


def produce(
    broker: Broker, lines: Iterable[bytes], key_of: Callable[[dict[str, str]], str]
) -> None:
    """Lines as records of their topics, in both modes of CloudEvents in turns; keyed by data."""
    writer = TopicWriter(KafkaSettings(broker.address))
    for number, line in enumerate(lines):
        whole = json.loads(line)
        key = key_of(whole["data"]).encode()
        if number % 2:
            writer.write(whole["type"], key, line, STRUCTURED)
            continue
        headers = [(f"ce_{name}", whole[name].encode()) for name in whole if name != "data"]
        writer.write(whole["type"], key, json.dumps(whole["data"]).encode(), headers)
    writer.flush()


def records(broker: Broker, topic: str) -> list[Record]:
    """All records of a topic, partition by partition.

    Raises:
        KeyError: there is no such topic yet.
    """
    given = {"bootstrap.servers": broker.address, "group.id": "check", "fetch.wait.max.ms": 10}
    consumer = Consumer({**given, "enable.partition.eof": True})
    found = []
    try:
        there = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in there])
        ends = 0
        while ends < len(there):
            for message in consumer.consume(1_000, timeout=0.1):
                if message.error() is not None:
                    ends += 1
                    continue
                headers: Headers = tuple(message.headers() or ())  # type: ignore[arg-type]
                offset = message.offset() or 0
                found.append(Record(message.key(), message.value(), headers, offset, 0))
    finally:
        consumer.close()
    return found
