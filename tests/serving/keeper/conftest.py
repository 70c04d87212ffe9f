"""One Redis and one broker for the tests of the keeper; each test has a pool of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from broker import Broker, start_broker
from hold_stack import PARTITIONS, TOPICS
from keeper_world import World
from redis_server import RedisServer, start_redis


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with start_broker(tmp_path_factory.mktemp("keeper-broker")) as running:
        for topic in TOPICS:
            running.create(topic, PARTITIONS)
        yield running


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with start_redis(tmp_path_factory.mktemp("keeper-redis")) as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, broker: Broker, shared_redis: RedisServer) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, broker, shared_redis, stack)


@pytest.fixture
def own_world(tmp_path: Path, broker: Broker) -> Iterator[World]:
    """With a Redis that the test may break."""
    with ExitStack() as stack:
        redis = stack.enter_context(start_redis(tmp_path / "redis"))
        yield World(tmp_path, broker, redis, stack)
