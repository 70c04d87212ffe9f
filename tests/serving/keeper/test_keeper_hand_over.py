"""Gate, keeper, log and flow together: each unit is counted once, and no event is lost."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from broker import Broker
from gate_support import audit
from keeper_world import World
from redis_server import RedisServer

from sinks.redis.model import HoldLine

HOLDS = 60


@pytest.fixture(scope="module")
def kept(
    tmp_path_factory: pytest.TempPathFactory, broker: Broker, shared_redis: RedisServer
) -> Iterator[World]:
    """A world whose keeper no test harms; each has a SKU of its own."""
    with ExitStack() as stack:
        world = World(tmp_path_factory.mktemp("kept"), broker, shared_redis, stack)
        world.opened()
        yield world


def test_a_unit_is_counted_once_at_every_moment(kept: World) -> None:
    """From cart to allocation, while keeper and flow hand the units over."""
    world = kept
    world.stocked(world.tea, "S1", HOLDS)
    started = done = 0

    def sell() -> None:
        nonlocal started, done
        for number in range(HOLDS):
            started += 1
            world.gate.hold(f"cart-{number}", [HoldLine(world.tea, 1)], ttl_seconds=60)
            done += 1
            world.gate.confirm(f"cart-{number}")

    seller = threading.Thread(target=sell)
    samples = 0
    with world.flowing():
        seller.start()
        while world.flow.allocated[world.tea, "S1"] < HOLDS:
            surely = done
            free = world.free(world.tea)["S1"]
            assert HOLDS - started <= free <= HOLDS - surely
            samples += 1
        seller.join()

        def handed_over() -> bool:
            (row,) = world.gate.available([world.tea])[world.tea]
            assert row.available == 0
            return row.held == 0

        world.wait(handed_over, "the last position did not arrive")
    assert samples > HOLDS
    audit(world.gate)
    assert world.flow.seq[world.tea, "S1"] == HOLDS
    states = {name: told for name, told in world.flow.states().items() if "cart" in name}
    assert len(states) == HOLDS
    assert all(told == ["held", "confirmed"] for told in states.values())
    world.wait(lambda: world.status().get("relayed", 0) >= 2 * HOLDS, "the status is behind")
    report = world.status()
    assert (report["role"], report["outbox"], report["trouble"]) == ("active", 0, None)


def test_killed_at_any_moment_it_loses_nothing(world: World) -> None:
    chance = random.Random(20261123)
    keeper = world.opened()
    skus = [f"{world.tea}-{number}" for number in range(4)]
    for sku in skus:
        world.stocked(sku, "S1", 1000)
    expected: dict[str, list[str]] = {}
    stop = threading.Event()

    def shop() -> None:
        for number in range(100_000):
            if stop.is_set():
                return
            name = f"r-{number}"
            lines = [HoldLine(sku, 1) for sku in skus[: 1 + number % 3]]
            world.gate.hold(name, lines, ttl_seconds=60, order=f"O-{number}")
            ended = "confirmed" if number % 2 else "released"
            (world.gate.confirm if number % 2 else world.gate.release)(name)
            expected[name] = sorted(["held", ended] * len(lines))
            time.sleep(0.001)

    shopper = threading.Thread(target=shop)
    with world.flowing():
        shopper.start()
        for standby in (False, True):
            following = world.keeper() if standby else None
            time.sleep(chance.uniform(0.05, 0.3))
            keeper.kill()
            keeper = following or world.keeper()
            relayed = len(world.flow.events)
            world.wait(
                lambda before=relayed: len(world.flow.events) > before,  # type: ignore[misc]
                "the next keeper did not take over",
            )
        stop.set()
        shopper.join()
        total = sum(map(len, expected.values()))
        world.wait(
            lambda: sum(map(len, world.flow.states().values())) >= total, "events are missing"
        )
    # Each event once, apart from repetitions with the same id and content (`states` sees to it).
    found = world.flow.states()
    assert {name: sorted(states) for name, states in found.items()} == expected
    paid = Counter[str]()
    for number in range(1, len(expected), 2):
        paid.update(skus[: 1 + number % 3])
    assert {sku: world.flow.seq[sku, "S1"] for sku in skus} == {sku: paid[sku] for sku in skus}
    audit(world.gate)
    # One that leaves in good order lets the next one in at once.
    world.keeper()
    assert "is open, epoch" in keeper.stop()
    world.gate.hold("last", [HoldLine(skus[0], 1)], ttl_seconds=60)
    world.read_until(lambda: "last" in world.flow.states(), "the last keeper did not take over")
    assert len({event.source for event in world.flow.events}) == 1, "the gate was written anew"


def test_a_broker_that_hangs_delays_and_loses_nothing(kept: World) -> None:
    world = kept
    world.stocked(world.cup, "S1", 50)
    world.wait(lambda: not world.gate.outbox(), "the outbox was not emptied")
    world.broker.pause()
    try:
        for number in range(20):
            world.gate.hold(f"hung-{number}", [HoldLine(world.cup, 1)], ttl_seconds=60)
        time.sleep(0.3)
        waiting = world.gate.outbox()
        assert len(waiting) == 20, "the outbox was forgotten before it was delivered"
    finally:
        world.broker.resume()
    world.read_until(
        lambda: sum("hung" in name for name in world.flow.states()) == 20, "events were lost"
    )
    world.wait(lambda: not world.gate.outbox(), "the outbox was not emptied")


def test_a_place_that_changes_its_pool_is_promised_no_more(kept: World) -> None:
    world = kept
    world.stocked("HAT", "S1", 5)
    world.gate.hold("hat", [HoldLine("HAT", 2)], ttl_seconds=60)
    pool, world.flow.pool = world.flow.pool, "another"
    try:
        world.flow.stock("HAT", "S1", 6)
        world.flow.stock("HAT", "S9", 6)  # never of this pool
    finally:
        world.flow.pool = pool
    world.wait(lambda: world.free("HAT") == {"S1": -2}, "it is still promised")
    assert world.gate.confirm("hat").state == "confirmed"


def test_lapsed_holds_are_told(kept: World) -> None:
    world = kept
    world.stocked("JAM", "S1", 5)
    world.gate.hold("r", [HoldLine("JAM", 5)], ttl_seconds=0.05)
    world.read_until(lambda: world.flow.states().get("r") == ["held", "expired"], "nobody swept it")
    assert world.free("JAM") == {"S1": 5}
