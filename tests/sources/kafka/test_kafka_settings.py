"""Addresses and security of brokers: what is asked for, what is refused, what is never shown."""

from __future__ import annotations

import logging
import time

import pytest
from broker import Broker, free_port
from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]

from schemas.topics import TOPICS
from sources.kafka.errors import BrokerError
from sources.kafka.settings import SECRETS, SECURITY, KafkaSettings
from sources.kafka.topics import check_topics

SECRET = "s3cr3t-of-the-till"


def secretive(brokers: str) -> KafkaSettings:
    """Settings with a secret wherever one can be."""
    given = {name: SECRET for name, setting in SECURITY.items() if setting in SECRETS}
    return KafkaSettings.from_mapping(
        brokers,
        {**given, "sasl_username": "till", "security_protocol": "SASL_PLAINTEXT"}
        | {"sasl_mechanism": "PLAIN"},
    )


def test_secrets_are_never_shown() -> None:
    """Not by repr, str or format, alone or inside other things."""
    settings = secretive("kafka:9092")
    for shown in (repr(settings), str(settings), f"{settings}", repr([settings]), f"{(settings,)}"):
        assert SECRET not in shown
        assert "till" in shown
    assert settings.client()["sasl.password"] == SECRET


def test_secrets_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A client that fails says where and why, in our log and without its secrets."""
    address = f"127.0.0.1:{free_port()}"
    with caplog.at_level(logging.DEBUG), pytest.raises(BrokerError) as failed:
        check_topics(secretive(address), ["t"], timeout=1)
    consumer = Consumer(secretive(address).client(group_id="g"))
    with caplog.at_level(logging.DEBUG), pytest.raises(KafkaException):
        consumer.list_topics(timeout=1)
    consumer.poll(0.1)
    consumer.close()
    assert SECRET not in caplog.text
    assert SECRET not in str(failed.value)
    assert address in caplog.text


def test_read_back() -> None:
    """What a process is started with says the same to it."""
    for settings in (secretive("a:1,b:2"), KafkaSettings("a:1", idempotence=False)):
        given = settings.to_mapping()
        brokers = given.pop("kafka")
        back = KafkaSettings.from_mapping(
            brokers, {name.removeprefix("kafka_"): value for name, value in given.items()}
        )
        assert back == settings


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sasl_passwort": "x"}, "TILLFLOW_KAFKA_SASL_PASSWORT is no setting.*SASL_PASSWORD"),
        ({"enable_idempotence": "maybe"}, "ENABLE_IDEMPOTENCE is 'maybe': write 1"),
    ],
)
def test_wrong(given: dict[str, str], words: str) -> None:
    """The message names the variable."""
    with pytest.raises(BrokerError, match=words):
        KafkaSettings.from_mapping("a:1", given)


def test_nobody_there() -> None:
    """An address where nothing listens is an error in words and in time, not a silent wait."""
    address = f"127.0.0.1:{free_port()}"
    began = time.monotonic()
    with pytest.raises(BrokerError, match=rf"{address} does not answer within 1 s \(.*refused"):
        check_topics(KafkaSettings(address), ["t"], timeout=1)
    assert time.monotonic() - began < 10


def test_missing_topics_are_named(broker: Broker, settings: KafkaSettings) -> None:
    """All of them at once."""
    broker.create("there")
    with pytest.raises(BrokerError, match=r"has no topic away-1, away-2 .*--create-topics"):
        check_topics(settings, ["there", "away-2", "away-1"])
    check_topics(settings, ["there"])


def test_topics_are_created(broker: Broker, settings: KafkaSettings) -> None:
    """Once; compacted where the schema says so."""
    names = [topic.name for topic in TOPICS]
    for _ in range(2):
        check_topics(settings, names, create=True, partitions=3)
    check_topics(settings, names)
    admin = AdminClient({"bootstrap.servers": broker.address})
    assert len(admin.list_topics(timeout=10).topics[names[0]].partitions) == 3
    if not broker.keeps_data:
        return  # Tansu does not say how a topic is configured
    for topic in TOPICS:
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic.name)
        [described] = admin.describe_configs([resource]).values()
        policy = described.result(10)["cleanup.policy"].value
        assert policy == ("compact" if topic.compacted else "delete")
