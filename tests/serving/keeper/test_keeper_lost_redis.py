"""Redis is emptied, restarted, away: the keeper writes the gate anew, and nothing is forgotten."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gate_support import audit
from hold_stack import Api
from keeper_world import World
from redis_server import redis_binaries, start_redis

from serving.keeper.lease import FencedGate, Lease, LeaseLost
from sinks.redis.client import HoldGate
from sinks.redis.errors import GateClosed, Short
from sinks.redis.model import HoldLine
from sinks.redis.rebuild import Rebuild
from sinks.redis.settings import GateSettings


def busy(world: World) -> None:
    """Open holds at two places, paid ones that no position contains yet, and one given back."""
    world.stocked(world.tea, "S1", 10)
    world.stocked(world.tea, "S2", 4)
    world.gate.hold("open", [HoldLine(world.tea, 3)], ttl_seconds=600, order="O-1", channel="web")
    world.gate.hold(
        "two", [HoldLine(world.tea, 1, "S1"), HoldLine(world.tea, 2, "S2")], ttl_seconds=600
    )
    world.gate.hold("paid", [HoldLine(world.tea, 2, "S1")], ttl_seconds=600, order="O-2")
    world.gate.confirm("paid")
    world.gate.hold("gone", [HoldLine(world.tea, 1)], ttl_seconds=600)
    world.gate.release("gone")
    assert world.free(world.tea) == {"S1": 4, "S2": 2}
    world.wait(lambda: not world.gate.outbox(), "the outbox was not relayed")


def as_before(world: World) -> None:
    """What `busy` made is all there."""
    assert world.free(world.tea) == {"S1": 4, "S2": 2}
    audit(world.gate)
    held = world.gate.read("open")
    assert (held.state, held.order) == ("held", "O-1")
    assert [(line.place, line.quantity) for line in held.lines] == [("S1", 3)]
    assert world.gate.read("two").state == "held"
    assert world.gate.read("paid").state == "confirmed"
    assert world.gate.read("gone").state == "released"
    # Confirm numbers go on where they were.
    world.gate.confirm("open")
    world.read_until(
        lambda: world.flow.seq[world.tea, "S1"] == 2, "a confirm number was given twice"
    )
    world.flow.tell((world.tea, "S1"))
    world.wait(
        lambda: world.gate.available([world.tea])[world.tea][0].held == 1, "the hand-over got stuck"
    )
    assert world.free(world.tea) == {"S1": 4, "S2": 2}


@pytest.mark.parametrize("how", ["restarted without data", "restarted"])
def test_a_lost_gate_is_written_anew(own_world: World, how: str) -> None:
    world = own_world
    keeper = world.opened()
    busy(world)
    epoch = world.gate.gate_state().epoch
    world.redis.restart(keep_data=how == "restarted")
    world.new_epoch(epoch)
    as_before(world)
    assert "is open again" in keeper.words()
    assert world.status()["trouble"]


def test_what_redis_forgot_is_not_sold_before_the_gate_is_whole(own_world: World) -> None:
    """Killed while its disk was slow, it lacks its last writes; the log has them."""
    world = own_world
    world.opened()
    world.stocked(world.tea, "S1", 10)
    sizes = {path: path.stat().st_size for path in world.redis.append_only_files()}
    busy(world)
    epoch = world.gate.gate_state().epoch
    world.redis.kill()
    for path, size in sizes.items():
        os.truncate(path, size)
    world.redis.start()
    refused = 0
    while world.gate.gate_state().epoch == epoch:
        with pytest.raises((GateClosed, Short)):
            world.gate.hold(f"greedy-{refused}", [HoldLine(world.tea, 5, "S1")], ttl_seconds=600)
        refused += 1
    assert refused
    world.new_epoch(epoch)
    as_before(world)


def test_the_api_refuses_until_the_gate_is_whole(own_world: World, tmp_path: Path) -> None:
    world = own_world
    keeper = world.opened()
    busy(world)
    api = Api(tmp_path, world.redis.url, world.pool)
    try:
        params = {"sku": world.tea}
        before = api.client.get("/v1/availability", params=params).json()
        keeper.kill()
        world.gate.client.flushall()
        wanted = {"id": "new", "lines": [{"sku": world.tea, "quantity": 1}]}
        refused = api.client.post("/v1/holds", json=wanted)
        assert refused.status_code == 503
        assert refused.json()["type"] == "urn:tillflow:problem:gate-closed"
        assert refused.headers["Retry-After"]
        assert api.client.get("/health").json()["gate"] == "empty"
        world.redis.stop()
        away = api.client.post("/v1/holds", json=wanted)
        assert away.status_code == 503
        assert away.json()["type"] == "urn:tillflow:problem:gate-unavailable"
        assert api.client.get("/health").json()["redis"] is False
        world.redis.start()
        world.opened()
        after = api.client.get("/v1/availability", params=params).json()
        assert after == before
        as_before(world)
        assert api.client.post("/v1/holds", json=wanted).status_code == 201
        # "open" was made through channel web, which is not this key's.
        assert api.client.get("/v1/holds/open").status_code == 404
    finally:
        api.stop()


def test_what_the_relay_has_read_outlives_redis(own_world: World) -> None:
    """The broker hangs, the relay has read an event, Redis is emptied: the event is told."""
    world = own_world
    world.opened()
    world.stocked(world.tea, "S1", 5)
    epoch = world.gate.gate_state().epoch
    world.broker.pause()
    try:
        world.gate.hold("held", [HoldLine(world.tea, 2)], ttl_seconds=600)
        execute: Callable[..., Any] = world.gate.client.execute_command
        log = world.gate.protocol.keys.log
        world.wait(lambda: execute("XLEN", log) == 1, "no event was written")
        # The relay has it in hand once it waits for the broker instead of for entries, which it
        # does anew five times a second.
        seen: list[bool] = []

        def in_hand() -> bool:
            seen.append("xread" not in str(execute("CLIENT", "LIST")))
            return len(seen) > 60 and all(seen[-60:])

        world.wait(in_hand, "the relay did not take the event")
        world.gate.client.flushall()
        with pytest.raises(GateClosed):
            world.gate.read("held")
    finally:
        world.broker.resume()
    world.new_epoch(epoch)
    assert world.gate.read("held").state == "held"
    assert world.free(world.tea) == {"S1": 3}


@pytest.mark.parametrize("binary", redis_binaries())
def test_a_keeper_that_lost_its_lease_cannot_write(tmp_path: Path, binary: str) -> None:
    with start_redis(tmp_path, binary=binary) as redis:
        settings = GateSettings(url=redis.url)
        with HoldGate(settings) as gate:
            mine, other = Lease(gate, 60), Lease(gate, 60)
            assert mine.take()
            assert mine.take()
            assert not other.take()
            with FencedGate(settings, mine) as fenced:
                Rebuild().write(fenced, "one")
                assert gate.gate_state().epoch == "one"
                gate.client.set("{all}:s:left", "over")
                mine.give_up()
                assert other.take()
                with pytest.raises(LeaseLost):
                    Rebuild().write(fenced, "two")
                assert not mine.renew()
                mine.give_up()
                assert other.renew()
            assert gate.gate_state().state == "open"
            assert gate.gate_state().epoch == "one"
            assert gate.client.exists("{all}:s:left")
