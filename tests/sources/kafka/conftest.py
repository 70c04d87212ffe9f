"""One broker for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from broker import Broker, start_broker

from sources.kafka.settings import KafkaSettings


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that nobody stops."""
    with start_broker(tmp_path_factory.mktemp("broker")) as started:
        yield started


@pytest.fixture(scope="module")
def settings(broker: Broker) -> KafkaSettings:
    """How to reach it."""
    return KafkaSettings(broker.address)
