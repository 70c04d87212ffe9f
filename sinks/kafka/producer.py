"""Writes records and knows which of them arrived."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

# Long enough for a broker to be started again, short enough to say that it does not come back.
DELIVERY_SECONDS = 120.0
# Waits for company: a batch costs the broker less than its records one by one.
LINGER_MS = 5
# What may wait in memory for a broker that is slow or away.
WAITING_KB = 64 * 1024
# When that is full, so often is it looked whether there is room again.
FULL_WAIT_SECONDS = 0.05


class Brokers(Protocol):
    """How to reach the brokers: sources.kafka.settings.KafkaSettings."""

    @property
    def brokers(self) -> str:
        """Their addresses."""

    @property
    def idempotence(self) -> bool:
        """Whether records are numbered, so that a retry writes none twice."""

    def client(self, **extra: Any) -> dict[str, Any]:
        """The configuration of a client."""


class DeliveryError(Exception):
    """Records did not arrive; the message names topic and reason."""


class TopicWriter:
    """An idempotent producer: what `flush` has returned from is on the log, once and in order.

    Partitions are chosen as Java clients do it, so that a key is on one partition whoever writes.
    """

    def __init__(
        self,
        settings: Brokers,
        *,
        delivery_seconds: float | None = None,
        linger_ms: float = LINGER_MS,
    ) -> None:
        self._settings = settings
        self._delivery_seconds = delivery_seconds or DELIVERY_SECONDS
        self._config = settings.client(
            enable_idempotence=settings.idempotence,
            acks="all",
            linger_ms=linger_ms,
            message_timeout_ms=int(self._delivery_seconds * 1000),
            queue_buffering_max_kbytes=WAITING_KB,
            partitioner="murmur2_random",
            compression_type="lz4",
        )
        self._producer = Producer(self._config)
        self._failed: list[str] = []
        self._lost = 0

    def write(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes | None]] = (),
    ) -> None:
        """Hand a record to the client; it leaves within some milliseconds.

        Raises:
            DeliveryError: the record cannot be sent at all: too large, or the client has given up.
        """
        headers = list(headers)
        deadline = time.monotonic() + self._delivery_seconds
        while True:
            try:
                self._producer.produce(
                    topic,
                    key=key,
                    value=value,
                    headers=headers,  # type: ignore[arg-type]
                    on_delivery=self._delivered,
                )
            except BufferError:
                if time.monotonic() > deadline:
                    raise DeliveryError(self._words(topic, "the queue is full")) from None
                self._producer.poll(FULL_WAIT_SECONDS)
            except KafkaException as wrong:
                error = wrong.args[0]
                if error.fatal():
                    self._producer = Producer(self._config)
                raise DeliveryError(self._words(topic, error.str())) from wrong
            else:
                return

    def poll(self) -> None:
        """Let the client tell what arrived; to be called now and then between writes."""
        self._producer.poll(0)

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all that was written is on the log.

        Raises:
            DeliveryError: something is not, or not in time. Then write again what was written
                since the last flush that returned; what is merely late may arrive as well.
        """
        wait = self._delivery_seconds + 1.0 if timeout is None else timeout
        late = self._producer.flush(wait)
        failed, self._failed = self._failed, []
        lost, self._lost = self._lost, 0
        if failed:
            # An idempotent producer whose thread with the broker is torn may never write again.
            self._producer = Producer(self._config)
            more = f" (and {lost - 1} more records)" if lost > 1 else ""
            raise DeliveryError(failed[0] + more)
        if late:
            msg = (
                f"kafka {self._settings.brokers} has not taken {late} records within {wait:g} s: "
                "is it running?"
            )
            raise DeliveryError(msg)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            return
        self._lost += 1
        if not self._failed:
            self._failed.append(self._words(message.topic() or "", error.str()))

    def _words(self, topic: str, reason: str) -> str:
        return (
            f"kafka {self._settings.brokers} did not take a record for topic {topic}: {reason}. "
            "Is the broker well, does the topic exist, may this user write to it?"
        )
