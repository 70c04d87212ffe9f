"""Servers that answer as the providers do, and a worker at them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from channel_desk import World
from channel_server import ChannelServer, start_channel_server
from channel_world import desk_for
from coupon_desks import new_desk
from gift_desk import pack
from redis_server import RedisServer, start_redis

from sinks.coupons.client import CouponDesk


@pytest.fixture
def server() -> Iterator[ChannelServer]:
    with start_channel_server() as providers:
        yield providers


@pytest.fixture
def world(server: ChannelServer, tmp_path: Path) -> Iterator[World]:
    made = World(server, tmp_path)
    yield made
    made.worker.close()


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with start_redis(tmp_path_factory.mktemp("gifts")) as running:
        yield running


@pytest.fixture
def desk(redis: RedisServer, tmp_path: Path) -> Iterator[CouponDesk]:
    with new_desk(redis, pack()) as made:
        desk_for(tmp_path, made)
        yield made
