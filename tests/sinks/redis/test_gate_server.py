"""Which servers may keep holds, what a full one does, and how the scripts get there."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from gate_check import check_gate
from gate_support import audit, new_gate, position
from redis.exceptions import ResponseError
from redis_server import RedisServer, free_port, redis_binaries, start_redis

from sinks.redis.client import AsyncHoldGate, HoldGate
from sinks.redis.errors import (
    GateClosed,
    GateError,
    GateFull,
    GateUnavailable,
    ServerUnfit,
    Short,
)
from sinks.redis.library import WHEN_FULL, load_library
from sinks.redis.model import HoldLine, Placing
from sinks.redis.server import judge
from sinks.redis.settings import GateSettings

FIT = {"redis_version": "7.2.4", "maxmemory_policy": "noeviction", "role": "master"}


def test_a_server_as_it_should_be(server: RedisServer) -> None:
    with new_gate(server) as gate:
        assert gate.check_server() == []


def test_pitfall_41_a_server_that_evicts_is_refused(tmp_path: Path) -> None:
    options = ("--maxmemory-policy", "volatile-lru")
    with start_redis(tmp_path, appendonly=False, options=options) as server:
        gate = new_gate(server)
        with gate, pytest.raises(ServerUnfit, match="noeviction"):
            gate.check_server()


def test_a_server_without_its_file_is_warned_of(tmp_path: Path) -> None:
    options = ("--appendfsync", "no")
    started = start_redis(tmp_path, appendonly=False, options=options)
    with started as server, new_gate(server) as gate:
        no_file, no_sync = gate.check_server()
        assert "appendonly yes" in no_file
        assert "appendfsync" in no_sync


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({"redis_version": "6.0.9"}, "too old"),
        ({"maxmemory_policy": "allkeys-lfu"}, "noeviction"),
        ({"role": "slave"}, "replica"),
    ],
)
def test_servers_that_cannot_keep_holds(info: dict[str, Any], words: str) -> None:
    with pytest.raises(ServerUnfit, match=words):
        judge(FIT | info)


def test_what_is_only_warned_of() -> None:
    assert judge(FIT | {"aof_enabled": 1}) == []
    (warning,) = judge(FIT | {"aof_enabled": 1, "aof_last_write_status": "err"})
    assert "append-only file failed" in warning


@pytest.mark.parametrize("binary", redis_binaries())
def test_a_full_server_takes_no_hold_but_lets_pay_and_release(tmp_path: Path, binary: str) -> None:
    started = start_redis(tmp_path, appendonly=False, binary=binary)
    with started as server, new_gate(server) as gate:
        gate.project([position("tea", "P1", 9)])
        for name in ("pay", "give back"):
            gate.hold(name, [HoldLine("tea", 1)], ttl_seconds=600)
        told = len(gate.outbox())
        gate.client.config_set("maxmemory", 1)
        with pytest.raises(GateFull, match="nothing was written"):
            gate.hold("more", [HoldLine("tea", 1)], ttl_seconds=600)
        assert gate.release("give back").state == "released"
        assert gate.available(["tea"])["tea"][0].held == 1
        gate.client.config_set("maxmemory", 0)
        assert gate.confirm("pay").state == "confirmed"
        assert len(gate.outbox()) == told + 2
        audit(gate)


def test_a_paid_hold_is_confirmed_on_a_full_server_with_functions(tmp_path: Path) -> None:
    with start_redis(tmp_path, appendonly=False) as server, new_gate(server) as gate:
        if not gate.client.info("server")["redis_version"].startswith("6."):
            gate.project([position("tea", "P1", 9)])
            gate.hold("pay", [HoldLine("tea", 1)], ttl_seconds=600)
            gate.client.config_set("maxmemory", 1)
            assert gate.confirm("pay").state == "confirmed"
        assert "confirm" in WHEN_FULL


def test_pitfall_43_all_keys_of_a_pool_are_in_one_slot(tmp_path: Path) -> None:
    # The servers of a cluster talk on a second port, 10,000 higher.
    port = next(port for port in iter(free_port, 0) if port < 55_000)
    with start_redis(tmp_path, port=port, options=("--cluster-enabled", "yes")) as server:
        gate = new_gate(server, opened=False, pool="a {weird} pool: 茶")
        with gate:
            for slot in range(0, 16384, 1024):
                gate.client.execute_command(  # type: ignore[no-untyped-call]
                    "CLUSTER", "ADDSLOTS", *range(slot, slot + 1024)
                )
            while gate.client.cluster("info")["cluster_state"] != "ok":
                pass
            gate.open_gate("one")
            check_gate(gate)
            gate.sweep()
            gate.replace("pla", "P1")
            with pytest.raises(ResponseError, match="same slot"):
                gate.client.mget(gate.protocol.keys.gate, "another")


def test_scripts_where_functions_are_not_wanted(server: RedisServer) -> None:
    with new_gate(server, scripting="scripts") as gate:
        check_gate(gate)
        others = gate.client.info("commandstats")
        assert others["cmdstat_evalsha"]["calls"] > 0


def test_two_releases_share_a_server(server: RedisServer) -> None:
    library = load_library()
    older = type(library)(library.source + "\n-- as it was before\n")
    with new_gate(server) as gate, new_gate(server, library=older, opened=False) as other:
        assert library.name != older.name
        other.open_gate("one")
        for _ in range(2):
            gate.project([position("tea", "P1", 5)])
            other.project([position("tea", "P1", 7)])
        assert gate.available(["tea"])["tea"][0].on_hand == 5
        assert other.available(["tea"])["tea"][0].on_hand == 7


def test_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"redis://:secret@127.0.0.1:{taken.getsockname()[1]}/0"
        with HoldGate(GateSettings(url=url)) as gate:
            with pytest.raises(GateUnavailable, match="same id") as gone:
                gate.hold("r", [HoldLine("tea", 1)], ttl_seconds=60)
            assert "secret" not in str(gone.value)


def test_a_server_that_refuses_the_scripts_is_told_in_its_words(server: RedisServer) -> None:
    with new_gate(server) as gate:
        gate.client.set(gate.protocol.keys.due, "no sorted set")
        with pytest.raises(GateError, match="WRONGTYPE"):
            gate.sweep()


def test_the_same_calls_by_asyncio(server: RedisServer) -> None:
    async def talk(settings: GateSettings) -> None:
        async with AsyncHoldGate(settings) as gate:
            assert await gate.check_server() == []
            with pytest.raises(GateClosed):
                await gate.read("r")
            await gate.open_gate("one")
            assert (await gate.gate_state()).epoch == "one"
            assert await gate.project([position("tea", "P1", 5), position("tea", "P2", 5)]) == 2
            holds = await asyncio.gather(
                *(gate.hold(f"r{n}", [HoldLine("tea", 2)], ttl_seconds=60) for n in range(4))
            )
            assert {hold.state for hold in holds} == {"held"}
            with pytest.raises(Short):
                await gate.hold(
                    "s", [HoldLine("tea", 2)], ttl_seconds=60, policy=Placing(split=False)
                )
            assert (await gate.extend("r0", 90)).expires_at > holds[0].expires_at
            assert (await gate.confirm("r0")).state == "confirmed"
            assert (await gate.release("r1")).state == "released"
            assert (await gate.read("r1")).state == "released"
            await gate.project([position("tea", "P1", 0, 2), position("tea", "P2", 0, 2)])
            for pair in await gate.overclaimed():
                assert (await gate.replace(pair.sku, pair.place)).shortfall == pair.units
            assert await gate.sweep() == 0
            entries = await gate.outbox()
            assert await gate.trim(entries[-1].id) == len(entries) == 7
            rows = (await gate.available(["tea"]))["tea"]
            assert sum(row.held for row in rows) == 6
            await gate.close_gate()
            with pytest.raises(GateClosed):
                await gate.available(["tea"])

    with new_gate(server, opened=False) as made:
        asyncio.run(talk(made.settings))


def test_both_clients_offer_the_same() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(HoldGate) == public(AsyncHoldGate)


@pytest.mark.parametrize(
    "wrong",
    [{"pool": ""}, {"kept_seconds": 0}, {"max_holds": -1}, {"scripting": "lua"}],
)
def test_settings_that_cannot_work(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        GateSettings(**wrong)


def test_settings_show_no_secret() -> None:
    shown = repr(GateSettings(url="rediss://user:secret@host:6380/1", customer_salt="pepper"))
    assert "secret" not in shown
    assert "pepper" not in shown
    assert "host:6380" in shown
