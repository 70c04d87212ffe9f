"""Before anything starts: do the brokers answer, and is every topic there?"""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.topics import TOPICS
from sources.kafka.errors import BrokerError
from sources.kafka.settings import KafkaSettings

ANSWER_SECONDS = 10.0
# Read in parallel by so many, and each holds a share of the keys: changing it later moves keys.
NEW_TOPIC_PARTITIONS = 12


def check_topics(
    settings: KafkaSettings,
    topics: Iterable[str],
    *,
    create: bool = False,
    partitions: int = NEW_TOPIC_PARTITIONS,
    timeout: float | None = None,
) -> None:
    """See to it that brokers answer in time and that all topics are there; with `create` make them.

    Raises:
        BrokerError: no broker answers, or topics are missing; the message names them.
    """
    timeout = timeout or ANSWER_SECONDS
    heard: list[str] = []

    def hear(error: KafkaError) -> None:
        heard.append(error.str())

    admin = AdminClient(settings.client(error_cb=hear))
    try:
        known = admin.list_topics(timeout=timeout)
    except KafkaException as wrong:
        admin.poll(0)
        raise BrokerError(_unreachable(settings, timeout, heard, wrong)) from None
    usable = {name for name, topic in known.topics.items() if topic.error is None}
    missing = sorted(set(topics) - usable)
    if missing and create:
        _create(admin, missing, partitions, timeout)
    elif missing:
        msg = (
            f"kafka {settings.brokers} has no topic {', '.join(missing)} (or hides it from this "
            "user): create it, or let tillflow do it with --create-topics"
        )
        raise BrokerError(msg)


def _create(admin: AdminClient, names: list[str], partitions: int, timeout: float) -> None:
    compacted = {topic.name for topic in TOPICS if topic.compacted}
    wanted = [
        NewTopic(
            name,
            partitions,
            config={"cleanup.policy": "compact"} if name in compacted else {},
        )
        for name in names
    ]
    for name, made in admin.create_topics(wanted, operation_timeout=timeout).items():
        try:
            made.result(timeout)
        except KafkaException as wrong:
            error = wrong.args[0]
            if error.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                msg = f"topic {name} could not be created: {error.str()}"
                raise BrokerError(msg) from None


def _unreachable(
    settings: KafkaSettings, timeout: float, heard: list[str], wrong: KafkaException
) -> str:
    # The last words of the client say more than its first: it was all brokers that were down.
    reasons = [text for text in heard if "brokers are down" not in text] or [wrong.args[0].str()]
    return (
        f"kafka {settings.brokers} does not answer within {timeout:g} s ({reasons[-1]}): is it "
        "running, is the address right, do TILLFLOW_KAFKA_SECURITY_PROTOCOL and the other "
        "TILLFLOW_KAFKA_* fit what it asks for?"
    )
