"""How far a group of consumers is behind the end of topics, asked without joining it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from sources.kafka.errors import BrokerError
from sources.kafka.settings import KafkaSettings


class TopicsThere(NamedTuple):
    """What a broker has: topics by name with their number of partitions."""

    brokers: int
    topics: dict[str, int]


def topics_there(settings: KafkaSettings, *, timeout: float) -> TopicsThere:
    """The topics of the brokers, the brokers' own left out.

    Raises:
        BrokerError: none answers within the time.
    """
    admin = AdminClient(settings.client(error_cb=_silent))
    try:
        found = admin.list_topics(timeout=timeout)
    except KafkaException as wrong:
        msg = f"kafka {settings.brokers} does not answer within {timeout:g} s"
        raise BrokerError(msg) from wrong
    topics = {
        name: len(topic.partitions)
        for name, topic in found.topics.items()
        if not name.startswith("__") and topic.error is None
    }
    return TopicsThere(len(found.brokers), topics)


def lag(settings: KafkaSettings, group: str, topics: Sequence[str], *, timeout: float) -> int:
    """Records behind what the group has committed; a partition it never committed counts whole.

    Flows commit after each snapshot, so a flow that has read everything lags by what came since.

    Raises:
        BrokerError: the brokers do not answer within the time.
    """
    there = topics_there(settings, timeout=timeout).topics
    places = [TopicPartition(name, one) for name in topics for one in range(there.get(name, 0))]
    consumer = Consumer(settings.client(group_id=group, error_cb=_silent))
    try:
        done = {
            (each.topic, each.partition): max(each.offset, 0)
            for each in consumer.committed(places, timeout=timeout)
        }
        ends = {}
        for place in places:
            found = consumer.get_watermark_offsets(place, timeout=timeout)
            ends[place.topic, place.partition] = 0 if found is None else found[1]
    except KafkaException as wrong:
        msg = f"kafka {settings.brokers} does not say how far group {group} is: {wrong}"
        raise BrokerError(msg) from wrong
    finally:
        consumer.close()
    return sum(max(end - done.get(place, 0), 0) for place, end in ends.items())


def _silent(_error: object) -> None:
    """Who asks hears of it by the exception."""
