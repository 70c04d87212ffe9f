"""One Redis and one API process for all tests of the API; each test has SKUs of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from gate_support import position
from hold_stack import Api
from redis_server import RedisServer, start_redis

from serving.holds.keys import Scope
from sinks.redis.client import HoldGate
from sinks.redis.settings import GateSettings

POOL = "shop"
# Made before the server starts, so that no test waits until it has followed the file.
KEYS: dict[str, tuple[str, list[Scope], float]] = {
    "reads": ("mini-program", ["holds:read"], 1e5),
    "sees": ("mini-program", ["availability:read"], 1e5),
    "other": ("marketplace", ["holds:read", "holds:write"], 1e5),
    "slow": ("mini-program", ["availability:read"], 5),
    "to-revoke": ("mini-program", ["availability:read"], 1e5),
}


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with start_redis(tmp_path_factory.mktemp("api-redis")) as running:
        yield running


@pytest.fixture(scope="session")
def gate(redis_server: RedisServer) -> Iterator[HoldGate]:
    with HoldGate(GateSettings(url=redis_server.url, pool=POOL, timeout_seconds=20)) as made:
        made.open_gate("first")
        yield made


@pytest.fixture(scope="session")
def api(
    gate: HoldGate, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    options = ("--max-holds", 2, "--max-units", 50, "--max-ttl", 3600)
    folder = tmp_path_factory.mktemp("api")
    running = Api(folder, redis_server.url, POOL, *options, keys=KEYS)
    yield running
    running.stop()


@pytest.fixture
def stocked(gate: HoldGate) -> Callable[..., str]:
    """Makes a SKU with these units at these places."""

    def make(**units: int) -> str:
        sku = f"SKU-{uuid.uuid4().hex[:8]}"
        gate.project([position(sku, place, on_hand) for place, on_hand in units.items()])
        return sku

    return make


@pytest.fixture
def new_id() -> str:
    return f"cart-{uuid.uuid4().hex[:8]}"
