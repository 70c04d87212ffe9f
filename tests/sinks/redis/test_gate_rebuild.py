"""A crashed, emptied or half told gate, and what it answers when it has been written again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gate_support import MiniFlow, audit, new_gate, position
from redis.exceptions import ResponseError
from redis_server import RedisServer, redis_binaries, start_redis

from schemas.reservation import Reservation
from sinks.redis.client import AsyncHoldGate, HoldGate
from sinks.redis.errors import (
    GateClosed,
    GateOpen,
    GateUnavailable,
    Mismatch,
    OutboxNotEmpty,
    Short,
    UnknownReservation,
)
from sinks.redis.model import HoldLine, OutboxEntry
from sinks.redis.rebuild import Rebuild

NAMES = ("held", "paid", "absorbed", "released", "two places")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(params=redis_binaries())
def own_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    options = ("--appendfsync", "always")
    with start_redis(tmp_path / "redis", binary=request.param, options=options) as server:
        yield server


def sell(gate: HoldGate) -> tuple[MiniFlow, list[OutboxEntry]]:
    """Some of everything; the topics hold what this returns."""
    flow = MiniFlow(gate)
    flow.stock("tea", "P1", 20, floor=2)
    flow.stock("tea", "P2", 9)
    flow.stock("cup", "P1", 5)
    gate.hold("absorbed", [HoldLine("tea", 1, "P1")], ttl_seconds=600, order="O-1", channel="web")
    gate.confirm("absorbed")
    gate.project(flow.read())
    gate.hold("held", [HoldLine("tea", 3), HoldLine("cup", 1)], ttl_seconds=600, order="O-2")
    gate.hold("paid", [HoldLine("tea", 2, "P1")], ttl_seconds=600, order="O-3")
    gate.confirm("paid")
    gate.hold("released", [HoldLine("tea", 4, "P2")], ttl_seconds=600)
    gate.release("released")
    gate.hold("two places", [HoldLine("tea", 20)], ttl_seconds=600)
    return flow, gate.outbox()


def picture(gate: HoldGate) -> tuple[object, ...]:
    reads = []
    for name in NAMES:
        hold = gate.read(name)
        lines = sorted((line.sku, line.place, line.quantity) for line in hold.lines)
        reads.append((hold.state, hold.order, lines))
    return gate.available(["tea", "cup"]), reads


def feed(flow: MiniFlow, entries: list[OutboxEntry]) -> Rebuild:
    rebuild = Rebuild()
    # Compaction has left the newest position of each pair only.
    newest = {(told.sku, told.place): told for told in flow.told}
    for told in newest.values():
        rebuild.position(told)
    # The relay restarted once and sent its last entries twice.
    for entry in [*entries, *entries[-4:]]:
        rebuild.reservation(entry.event, entry.id, entry.time)
    return rebuild


def test_killed_restarted_emptied_and_written_again(own_server: RedisServer) -> None:
    with new_gate(own_server) as gate:
        flow, entries = sell(gate)
        before = picture(gate)

        own_server.kill()
        with pytest.raises(GateUnavailable, match="with the same id"):
            gate.read("held")
        own_server.start()
        assert gate.gate_state().restarted
        with pytest.raises(GateClosed, match="is restarted"):
            gate.read("held")
        gate.open_gate("one")
        assert picture(gate) == before, "the append-only file has all"

        own_server.restart(keep_data=False)
        with pytest.raises(GateClosed, match="is empty"):
            gate.hold("new", [HoldLine("tea", 1)], ttl_seconds=60)
        feed(flow, entries).write(gate, "two")
        state = gate.gate_state()
        assert (state.state, state.epoch, state.restarted) == ("open", "two", False)
        assert picture(gate) == before
        audit(gate)

        # It goes on as if nothing had been: ids, confirm numbers, the hand-over.
        assert gate.hold(
            "held", [HoldLine("tea", 3), HoldLine("cup", 1)], ttl_seconds=600, order="O-2"
        ).replayed
        with pytest.raises(Mismatch):
            gate.hold("held", [HoldLine("tea", 4)], ttl_seconds=600, order="O-2")
        with pytest.raises(Short):
            gate.hold("more", [HoldLine("tea", 9)], ttl_seconds=60)
        assert gate.confirm("paid").replayed
        gate.release("two places")
        gate.hold("next", [HoldLine("tea", 1, "P1")], ttl_seconds=60)
        gate.confirm("next")
        assert gate.outbox()[-1].event.hold_seq == 3
        flow.read_upto = ""
        flow.seq["tea", "P1"], flow.allocated["tea", "P1"] = 2, 3
        gate.project(flow.read())
        held = sum(
            line.quantity
            for line in gate.read("held").lines
            if (line.sku, line.place) == ("tea", "P1")
        )
        (row,) = gate.available(["tea"], ["P1"])["tea"]
        assert row.held == held, "what was confirmed before and after the loss is absorbed"
        audit(gate)


def test_a_server_that_lost_its_last_writes_promises_nothing(own_server: RedisServer) -> None:
    """Killed while its disk was slow, it comes back with what it had: the same units, and numbers.

    Until somebody has looked, whoever asks is refused, also by a client that knew the gate before.
    """
    with new_gate(own_server) as gate:
        gate.project([position("tea", "P1", 5)])
        sizes = {path: path.stat().st_size for path in own_server.append_only_files()}
        gate.hold("a", [HoldLine("tea", 5)], ttl_seconds=600, order="O-1")
        gate.confirm("a")
        own_server.kill()
        for path, size in sizes.items():
            os.truncate(path, size)
        own_server.start()
        for call in (
            lambda: gate.hold("b", [HoldLine("tea", 5)], ttl_seconds=600),
            lambda: gate.confirm("a"),
            lambda: gate.available(["tea"]),
        ):
            with pytest.raises(GateClosed, match="is restarted"):
                call()
        assert gate.gate_state().restarted
        gate.open_gate("one")
        assert gate.hold("b", [HoldLine("tea", 5)], ttl_seconds=600).state == "held"


def test_a_lost_script_cache_is_no_error(own_server: RedisServer) -> None:
    with new_gate(own_server) as gate:
        gate.project([position("tea", "P1", 5)])
        gate.client.script_flush()
        with suppress(ResponseError):  # 6.2 has no functions
            gate.client.function_flush("SYNC")
        assert gate.hold("r", [HoldLine("tea", 1)], ttl_seconds=60).state == "held"


def test_the_outbox_comes_first(server: RedisServer) -> None:
    with new_gate(server) as gate:
        flow, entries = sell(gate)
        rebuild = feed(flow, entries)
        with pytest.raises(OutboxNotEmpty, match="relay and trim"):
            rebuild.write(gate, "two")
        assert gate.gate_state().state == "closed"
        gate.trim(entries[-1].id)
        rebuild.write(gate, "two")
        assert gate.read("held").state == "held"
        with pytest.raises(GateOpen):
            gate.run(gate.protocol.call("restore", [], {}))


def test_what_redis_still_has_but_the_log_does_not_is_gone(server: RedisServer) -> None:
    with new_gate(server) as gate:
        flow, entries = sell(gate)
        gate.hold("never told", [HoldLine("cup", 2)], ttl_seconds=600)
        gate.trim(gate.outbox()[-1].id)
        feed(flow, entries).write(gate, "two")
        with pytest.raises(UnknownReservation):
            gate.read("never told")
        audit(gate)


def test_a_confirmation_that_was_half_told_is_told_to_its_end(server: RedisServer) -> None:
    rebuild = Rebuild()
    rebuild.position(position("tea", "P1", 9, allocated=1, seq=1))
    rebuild.position(position("cup", "P1", 9))
    for sku, state, number in (("tea", "held", 0), ("cup", "held", 0), ("tea", "confirmed", 1)):
        event = Reservation(
            reservation="r",
            sku=sku,
            place="P1",
            quantity=1,
            state=state,  # type: ignore[arg-type]
            hold_seq=number,
            order="O",
            expires_at="2026-11-23T12:10:00Z" if state == "held" else None,
        )
        rebuild.reservation(event, f"{sku}-{state}", NOON)
    with new_gate(server, opened=False) as gate:
        rebuild.write(gate, "one")
        assert gate.confirm("r").state == "confirmed"
        (told,) = gate.outbox()
        assert (told.event.sku, told.event.state, told.event.hold_seq) == ("cup", "confirmed", 1)
        held = {sku: rows[0].held for sku, rows in gate.available(["tea", "cup"]).items()}
        assert held == {"tea": 0, "cup": 1}
        audit(gate)


def test_written_again_by_asyncio(server: RedisServer) -> None:
    with new_gate(server) as gate:
        flow, entries = sell(gate)
        before = picture(gate)
        gate.trim(entries[-1].id)

        async def write() -> None:
            async with AsyncHoldGate(gate.settings) as other:
                await feed(flow, entries).write_async(other, "two")

        asyncio.run(write())
        assert picture(gate) == before
