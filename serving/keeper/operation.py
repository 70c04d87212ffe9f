"""What an operator asks of a gate and its keeper."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from serving.keeper.lease import KeeperKeys
from serving.keeper.watch import REBUILD
from sinks.redis.client import HoldGate
from sinks.redis.errors import GateError

LOOK_SECONDS = 0.1


def ask_for_rebuild(gate: HoldGate, stop: threading.Event, deadline: float) -> str | None:
    """Ask the keeper at work; the new epoch, or None when it has left meanwhile.

    Raises:
        GateError: it was not done in time.
    """
    keys = KeeperKeys(gate.settings.pool)
    execute: Callable[..., Any] = gate.client.execute_command
    before = gate.gate_state().epoch
    execute("SET", keys.request, REBUILD, "EX", 60)
    while not stop.wait(LOOK_SECONDS):
        state = gate.gate_state()
        if state.state == "open" and state.epoch != before:
            return state.epoch
        if not execute("EXISTS", keys.lease):
            return None
        if time.monotonic() > deadline:
            msg = "the keeper has not written the gate anew in time: see its log and status"
            raise GateError(msg)
    return None


def shown(gate: HoldGate, reservation: str | None) -> dict[str, Any]:
    """The gate, its keeper and what is over-claimed; with an id that hold as well."""
    state = gate.gate_state()
    keys = KeeperKeys(gate.settings.pool)
    execute: Callable[..., Any] = gate.client.execute_command
    status: bytes | None = execute("GET", keys.status)
    found: dict[str, Any] = {
        "pool": gate.settings.pool,
        "gate": state.state,
        "epoch": state.epoch,
        "restarted": state.restarted,
        "outbox": int(execute("XLEN", gate.protocol.keys.log)),
        "keeper": None if status is None else json.loads(status),
        "over_claimed": [msgspec.to_builtins(each) for each in gate.overclaimed()],
        "open_risks": [
            json.loads(body)["alert"] for body in execute("HGETALL", keys.risks).values()
        ],
    }
    if reservation is not None:
        found["hold"] = msgspec.to_builtins(gate.read(reservation))
    return found
