"""Many processes on few SKUs, while the projection repeats itself: nothing twice, nothing lost."""

from __future__ import annotations

import random

import pytest
from forks import forkserver
from gate_support import MiniFlow, audit, new_gate
from redis_server import RedisServer

from sinks.redis.client import HoldGate
from sinks.redis.errors import Short
from sinks.redis.model import HoldLine
from sinks.redis.settings import GateSettings

SKUS = ("tea", "cup")
PLACES = ("P1", "P2")
STOCK = 60
CLIENTS, TRIES = 3, 80


def client(settings: GateSettings, number: int) -> None:
    """One till or shop: holds, pays, pays twice, gives back, forgets."""
    choice = random.Random(number)
    with HoldGate(settings) as gate:
        for turn in range(TRIES):
            name = f"c{number}-{turn}"
            lines = [
                HoldLine(choice.choice(SKUS), choice.randint(1, 2), choice.choice((None, *PLACES)))
                for _ in range(choice.randint(1, 2))
            ]
            ttl = choice.choice((0.003, 600.0))
            try:
                gate.hold(name, lines, ttl_seconds=ttl)
            except Short:
                continue
            match choice.randint(0, 4):
                case 0 | 1:
                    gate.confirm(name)
                    gate.confirm(name)
                case 2 | 3:
                    gate.release(name)
                    gate.release(name)


@pytest.mark.slow
def test_no_unit_twice_and_none_lost(server: RedisServer) -> None:
    choice = random.Random(7)
    with new_gate(server) as gate:
        flow = MiniFlow(gate)
        for sku in SKUS:
            for place in PLACES:
                flow.stock(sku, place, STOCK)
        context = forkserver()
        clients = [
            context.Process(target=client, args=(gate.settings, number))
            for number in range(CLIENTS)
        ]
        for process in clients:
            process.start()
        while any(process.is_alive() for process in clients):
            told = flow.read()
            choice.shuffle(told)
            gate.project([*told, *choice.sample(flow.told, min(5, len(flow.told)))])
            gate.sweep(20)
            for rows in gate.available(SKUS).values():
                for row in rows:
                    assert row.available >= 0, "more was promised than there is"
            clients[0].join(0.005)
        assert [process.exitcode for process in clients] == [0] * CLIENTS

        gate.project(flow.read())
        while gate.sweep(100):
            pass
        audit(gate)
        state: dict[tuple[str, str, str], tuple[str, int]] = {}
        for entry in gate.outbox(count=100_000):
            event = entry.event
            state[event.reservation, event.sku, event.place] = (event.state, event.quantity)
        assert {kind for kind, _ in state.values()} >= {"confirmed", "released", "expired"}
        for sku in SKUS:
            for row in gate.available([sku])[sku]:
                here = [
                    told
                    for (_, its_sku, its_place), told in state.items()
                    if (its_sku, its_place) == (sku, row.place)
                ]
                sold = sum(units for kind, units in here if kind == "confirmed")
                held = sum(units for kind, units in here if kind == "held")
                assert flow.allocated[sku, row.place] == sold
                assert row.held == held
                assert row.available == STOCK - sold - held
