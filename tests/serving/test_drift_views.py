"""Each view is spoilt on real servers: found, told, repaired, cleared; and no false word."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from drift_scene import PAIR, SPOILT, Scene, spoil_absorbed, spoil_on_hand
from gate_support import audit, position
from msgspec.structs import replace
from redis_server import RedisServer, start_redis

from operators.stock.drift_alerts import DRIFT
from schemas.position import Position
from serving.drift import WarehouseView
from sinks.redis.client import HoldGate
from sinks.redis.errors import GateClosed
from sinks.redis.model import HoldLine
from sinks.redis.settings import GateSettings
from sinks.warehouse.client import Warehouse
from sources.positions import TimedPosition


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with start_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseView]:
    file = tmp_path_factory.mktemp("warehouse") / "shop.duckdb"
    Warehouse(file).close()
    with WarehouseView(file, writing=True) as opened:
        yield opened


@pytest.fixture
def scene(server: RedisServer, rows: WarehouseView) -> Iterator[Scene]:
    made = Scene(server, rows)
    made.everywhere(position("tea", "P1", 10, 5, seq=0), position("tea: {2}%", "P 2", 4, 2))
    assert made.found() == []
    yield made
    made.close()


@pytest.mark.parametrize(
    ("spoil", "expected"), SPOILT, ids=lambda one: getattr(one, "__name__", "")
)
def test_each_view_spoilt_is_found_told_repaired_and_cleared(
    scene: Scene, spoil: Any, expected: set[tuple[str, str]]
) -> None:
    scene.gate.hold("cart", [HoldLine("tea", 2, "P1")], ttl_seconds=600)
    scene.gate.hold("paid", [HoldLine("tea", 1, "P1")], ttl_seconds=600)
    if spoil is spoil_absorbed:
        scene.gate.confirm("paid")
    assert scene.found() == []
    spoil(scene)
    found = scene.found()
    assert set(found) == expected
    [raised] = scene.rows.open_alerts(DRIFT)
    assert (raised.sku, raised.place, raised.status) == (*PAIR, "raised")
    assert {(one["view"], one["kind"]) for one in raised.evidence} == expected
    done = scene.truth.repair(PAIR)
    assert done
    assert all(one["repaired"] for one in done)
    assert scene.found() == []
    assert scene.states() == ["raised", "cleared"]
    assert scene.rows.open_alerts(DRIFT) == []
    audit(scene.gate)
    [there] = scene.gate.available(["tea"])["tea"]
    truth = scene.truth.log.position(PAIR)
    assert truth is not None
    held = 2 if spoil is spoil_absorbed else 3
    assert (there.available, there.held) == (truth.available - held, held)
    # The counter goes on where it was: no number is given twice.
    scene.gate.confirm("cart")
    assert scene.gate.outbox()[-1].event.hold_seq == (2 if spoil is spoil_absorbed else 1)


def test_paid_holds_that_are_gone_are_found_but_only_a_rebuild_brings_them_back(
    scene: Scene,
) -> None:
    scene.gate.hold("paid", [HoldLine("tea", 3, "P1")], ttl_seconds=600)
    scene.gate.confirm("paid")
    hash_key, holds = scene.gate.protocol.keys.pair(*PAIR)
    scene.gate.client.delete(holds)
    scene.gate.client.hset(hash_key, "held", 0)
    assert scene.found() == [("redis", "confirms")]
    assert "rebuild" in scene.alerts[-1][12]
    [done] = scene.truth.repair(PAIR)
    assert not done["repaired"]
    assert scene.states() == ["raised"]


def test_pairs_that_the_log_does_not_know_are_found(scene: Scene) -> None:
    [stray] = scene.made(position("stray", "P1", 3, 3))
    scene.gate.project([stray])
    scene.rows.repair(stray, None)
    assert sorted(scene.found()) == [("duckdb", "unknown"), ("redis", "unknown")]


def test_a_repair_never_undoes_what_came_in_between(scene: Scene) -> None:
    spoil_on_hand(scene)
    [seen] = scene.truth.gates.audit(scene.pool).look([PAIR])  # type: ignore[union-attr]
    [newer] = scene.made(position("tea", "P1", 6, 8))
    scene.gate.project([newer])
    scene.rows.repair(newer, None)
    [old] = scene.made(position("tea", "P1", 10, 5))
    assert scene.views.audit(scene.pool).repair(old, seen) is False
    scene.rows.repair(old, replace(old, on_hand=11))
    assert scene.gate.available(["tea"])["tea"][0].version == 8
    assert scene.rows.read([PAIR])[PAIR].version == 8


def test_a_closed_gate_is_neither_compared_nor_repaired(scene: Scene) -> None:
    spoil_on_hand(scene)
    [seen] = scene.views.audit(scene.pool).look([PAIR])
    scene.gate.close_gate()
    assert scene.found() == []
    assert scene.truth.closed == {scene.pool: "closed"}
    with pytest.raises(GateClosed):
        scene.views.audit(scene.pool).repair(scene.made(position("tea", "P1", 10, 5))[0], seen)


def test_an_over_claimed_pair_is_known_after_a_repair(scene: Scene) -> None:
    scene.gate.hold("cart", [HoldLine("tea", 9, "P1")], ttl_seconds=600)
    [truth] = scene.made(position("tea", "P1", 4, 6))
    scene.news.append(TimedPosition(truth, 0))
    scene.truth.repair(PAIR)
    [over] = scene.gate.overclaimed()
    assert (over.sku, over.place, over.units) == ("tea", "P1", 5)


def test_versions_as_long_as_microseconds_survive_a_repair(scene: Scene) -> None:
    long = 1_800_000_000_000_001
    scene.everywhere(position("tea", "P1", 10, long))
    spoil_on_hand(scene)
    assert scene.found() == [("redis", "figures")]
    scene.truth.repair(PAIR)
    assert scene.gate.available(["tea"])["tea"][0].version == long
    assert scene.found() == []


def test_no_false_word_while_all_three_are_written(
    server: RedisServer, rows: WarehouseView
) -> None:
    """A projection that lags and repeats, carts and payments, and checks all the while."""
    scene = Scene(server, rows)
    pairs = [(f"sku{number}", "P1") for number in range(12)]
    stop, problems = threading.Event(), list[BaseException]()
    lock = threading.Lock()
    told: list[Position] = []

    def flow() -> None:
        """What the flow, the keeper and tills do: log first, then each view in its own time."""
        rng, version, read_upto = Random(7), 0, ""
        seq, allocated = dict.fromkeys(pairs, 0), dict.fromkeys(pairs, 0)
        late: list[list[Position]] = []
        try:
            while not stop.is_set():
                version += 1
                for entry in scene.gate.outbox(read_upto, 200):
                    read_upto = entry.id
                    if entry.event.state == "confirmed":
                        pair = (entry.event.sku, entry.event.place)
                        seq[pair] = entry.event.hold_seq
                        allocated[pair] += entry.event.quantity
                made = scene.made(
                    *(
                        position(
                            *pair, 500 + version, version, allocated=allocated[pair], seq=seq[pair]
                        )
                        for pair in pairs
                    )
                )
                with lock:
                    scene.news += [TimedPosition(one, scene.clock()) for one in made]
                told.extend(made)
                late.append(made)
                if len(late) > rng.randrange(1, 6):
                    scene.gate.project([one for some in late for one in some] + told[:12])
                    late.clear()
                stop.wait(0.01)
            for some in late:
                scene.gate.project(some)
        except BaseException as wrong:
            problems.append(wrong)

    def carts() -> None:
        rng, number = Random(8), 0
        with HoldGate(GateSettings(url=server.url, pool=scene.pool, timeout_seconds=20)) as gate:
            try:
                while not stop.is_set():
                    number += 1
                    sku, place = rng.choice(pairs)
                    gate.hold(f"c{number}", [HoldLine(sku, 2, place)], ttl_seconds=0.02)
                    if number % 3:
                        gate.confirm(f"c{number}")
                    if number % 20 == 0:
                        gate.sweep()
            except BaseException as wrong:
                problems.append(wrong)

    def feed() -> list[TimedPosition]:
        with lock:
            news, scene.news = scene.news, []
        return news

    scene.truth.feed = feed
    first = scene.made(*(position(*pair, 500, 0) for pair in pairs))
    scene.news = [TimedPosition(one, scene.clock()) for one in first]
    scene.gate.project(first)
    scene.truth.rows = None
    threads = [threading.Thread(target=flow), threading.Thread(target=carts)]
    for thread in threads:
        thread.start()
    looks = 0
    try:
        end = time.monotonic() + 2.0
        while time.monotonic() < end:
            looks += 1
            assert scene.truth.look(pairs) == []
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert problems == []
    assert scene.alerts == []
    assert looks > 5
    assert len(told) > 12 * 5
    # The same history with one lost word of the projection is no longer in order.
    spoil = scene.gate.protocol.keys.pair(*pairs[0])[0]
    scene.gate.client.hincrby(spoil, "held", 1)
    [found] = scene.truth.look(pairs)
    assert found.pair == pairs[0]
    scene.close()
