"""How to reach the brokers: addresses, security, and a client's voice that keeps secrets."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from confluent_kafka import KafkaError

from sources.kafka.errors import BrokerError

LOG = logging.getLogger("tillflow.kafka")
# While brokers are away a client complains several times a second; so often is it passed on.
REPEAT_SECONDS = 30.0
# A broker that is back is tried again this soon, instead of after 10 s.
RECONNECT_MAX_MS = 2_000

# TILLFLOW_KAFKA_<NAME> -> librdkafka's setting. Only these: they are tested for what they show.
SECURITY: dict[str, str] = {
    name.replace(".", "_"): name
    for name in (
        "security.protocol",
        "sasl.mechanism",
        "sasl.username",
        "sasl.password",
        "sasl.oauthbearer.method",
        "sasl.oauthbearer.client.id",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.scope",
        "sasl.oauthbearer.token.endpoint.url",
        "ssl.ca.location",
        "ssl.certificate.location",
        "ssl.key.location",
        "ssl.key.password",
        "ssl.endpoint.identification.algorithm",
    )
}
SECRETS = frozenset({"sasl.password", "sasl.oauthbearer.client.secret", "ssl.key.password"})
HIDDEN = "***"


class KafkaSettings(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """Where the log is and how to prove who we are.

    `security` holds librdkafka's names (`sasl.username`); what is secret is never shown.
    `idempotence`: whether producers number their records, so that a retry writes none twice; to be
    turned off only for a broker that cannot do it.
    """

    brokers: str
    security: dict[str, str] = {}
    idempotence: bool = True

    def __repr__(self) -> str:
        security = {
            name: HIDDEN if name in SECRETS else value for name, value in self.security.items()
        }
        return (
            f"KafkaSettings(brokers={self.brokers!r}, security={security!r}, "
            f"idempotence={self.idempotence!r})"
        )

    def client(self, **extra: Any) -> dict[str, Any]:
        """The configuration of a client; `extra` has underscores for the dots of librdkafka."""
        dotted = {
            name if name.endswith("_cb") else name.replace("_", "."): value
            for name, value in extra.items()
        }
        return {
            "bootstrap.servers": self.brokers,
            "client.id": "tillflow",
            "reconnect.backoff.max.ms": RECONNECT_MAX_MS,
            "log.connection.close": False,
            "logger": _ClientLog(),
            "error_cb": _ErrorVoice(self.brokers),
            **self.security,
            **dotted,
        }

    @classmethod
    def from_mapping(cls, brokers: str, given: Mapping[str, str]) -> KafkaSettings:
        """Settings from names like `sasl_username`; `enable_idempotence` is 0 or 1.

        Raises:
            BrokerError: a name is not known here, or a value is not of its form.
        """
        security = dict(given)
        idempotence = security.pop("enable_idempotence", "1")
        if idempotence not in ("0", "1"):
            msg = f"TILLFLOW_KAFKA_ENABLE_IDEMPOTENCE is {idempotence!r}: write 1 (as it is) or 0"
            raise BrokerError(msg)
        unknown = sorted(security.keys() - SECURITY.keys())
        if unknown:
            known = ", ".join(name.upper() for name in (*SECURITY, "enable_idempotence"))
            msg = (
                f"TILLFLOW_KAFKA_{unknown[0].upper()} is no setting; after TILLFLOW_KAFKA_ come "
                f"{known}"
            )
            raise BrokerError(msg)
        return cls(
            brokers,
            {SECURITY[name]: value for name, value in security.items()},
            idempotence == "1",
        )

    def to_mapping(self) -> dict[str, str]:
        """What `from_mapping` takes, with `kafka` for the brokers and `kafka_` before each name.

        With its secrets: for the environment of a process of the same user, never to be shown.
        """
        security = {
            f"kafka_{name.replace('.', '_')}": value for name, value in self.security.items()
        }
        idempotence = "1" if self.idempotence else "0"
        return {
            "kafka": self.brokers,
            **security,
            "kafka_enable_idempotence": idempotence,
        }


class _ClientLog:
    """The client's own log lines: details, for they come by the dozen and in its own words."""

    def log(self, level: int, text: str, *values: object) -> None:
        """Pass a line on at DEBUG."""
        LOG.debug(text, *values)


class _ErrorVoice:
    """Says in words what the client reports as a whole; the same not again for a while."""

    def __init__(self, brokers: str) -> None:
        self._brokers = brokers
        self._said: dict[int, float] = {}

    def __call__(self, error: KafkaError) -> None:
        now = time.monotonic()
        if now - self._said.get(error.code(), -REPEAT_SECONDS) < REPEAT_SECONDS:
            return
        self._said[error.code()] = now
        LOG.warning("kafka %s: %s; trying on", self._brokers, error.str())
