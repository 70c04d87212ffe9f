"""A channel in front of a real gate whose answer to a payment is lost on its way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gate_support import new_gate, position
from redis_server import RedisServer, start_redis

from infra.drill.count import Evidence, Paid, disagreements
from infra.drill.fold import Sent
from infra.live_doors import OPEN, GateDoor, Told, Units
from infra.live_holds import LiveDesk
from sinks.redis.client import HoldGate
from sources.simulator import Settings, simulate
from sources.simulator.carts import Cart
from sources.simulator.desk import RecordDesk
from sources.simulator.world import World

SHELF = 10


class LosingDoor(GateDoor):
    """Does what it is asked, and nobody hears that it was paid."""

    def confirm(self, name: str) -> Told:
        super().confirm(name)
        return Told(OPEN, why="lost")


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with start_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(name="gate")
def _gate(server: RedisServer) -> Iterator[HoldGate]:
    with new_gate(server) as gate:
        yield gate


@pytest.fixture(scope="module", name="world")
def _world() -> World:
    return simulate(Settings(days=1, stores=2, skus=5), RecordDesk).world


def test_what_was_paid_unheard_is_cancelled(
    server: RedisServer, gate: HoldGate, world: World
) -> None:
    """It is given back, and the chain's books never promised it."""
    site, sku = world.sites[0], world.goods.skus[0].name
    gate.project([position(sku, site.name, SHELF)])
    door = LosingDoor(server.url, gate.settings.pool)
    given_back: list[tuple[str, Units, str]] = []
    desk = LiveDesk(
        world, door, lambda name, units, order: given_back.append((name, units, order)), lambda: 7.0
    )
    channel = world.settings.online.channels[0]
    cart = Cart("C1", channel, site.city, ((0, 2),), (site,), 0)
    desk.filled(cart)
    assert desk.place_for(cart, 1, "O1") is None
    assert desk.settle() == 0
    door.close()
    units = ((sku, site.name, 2),)
    assert given_back == [("C1.1", units, "C1")]
    assert desk.book.counts["cancelled"] == 1
    seen = Evidence(
        sent=[
            _sent("till", "received", sku, site.name, SHELF),
            _sent("web/unanswered", "released", sku, site.name, 2),
        ],
        reservations={},
        paid=[Paid(name, 7.0, told) for name, told in desk.book.confirmed.items()],
        tried=desk.book.tried,
        lost_at=[],
        topups=[],
    )
    promised = desk.book.confirmed.keys() - desk.book.cancelled
    books = [(site.name, sku, SHELF, 0, 0, 0)]
    assert disagreements(seen, books, promised, "web/unanswered") == []
    assert disagreements(seen, books, desk.book.confirmed.keys(), "web/unanswered") == [
        (sku, site.name)
    ]


def _sent(source: str, kind: str, sku: str, place: str, quantity: int) -> Sent:
    data = {"kind": kind, "sku": sku, "place": place, "quantity": quantity}
    return Sent(source, f"{source}-{kind}", 1, data)
