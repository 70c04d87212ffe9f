"""What the keeper looks at again and again: is the gate still the one, what lapsed, how are we."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from serving.keeper.lease import KeeperKeys
from serving.keeper.status import Status
from sinks.redis import keeper_calls
from sinks.redis.client import HoldGate
from sinks.redis.errors import GateClosed, GateError
from sinks.redis.talk import Blocking

LOG = logging.getLogger("tillflow.keeper")

LOOK_SECONDS = 0.2
STATUS_SECONDS = 0.5
STATUS_KEPT_SECONDS = 15
SWEEP_LIMIT = 1000
TELL_SECONDS = 30.0
REBUILD = b"rebuild"


class GateLost(GateError):
    """The gate is no longer as this term found it; the next term looks what to do."""


class Watch:
    """Sweeps, reports, and ends the term when the gate has become another."""

    def __init__(
        self, gate: HoldGate, fenced: HoldGate, status: Status, sweep_seconds: float
    ) -> None:
        self._gate, self._fenced, self._status = gate, fenced, status
        self._sweep_seconds = sweep_seconds
        self._keys = KeeperKeys(gate.settings.pool)
        self._execute: Callable[..., Any] = gate.client.execute_command

    def run(self, epoch: str, stop: threading.Event) -> None:
        """Until it is to stop.

        Raises:
            GateLost: Redis was emptied or restarted, or somebody asks for a rebuild.
        """
        sweep_at = status_at = tell_at = 0.0
        while not stop.is_set():
            state = self._look(epoch)
            now = time.monotonic()
            if state != "open" and now >= tell_at:
                tell_at = now + TELL_SECONDS
                LOG.warning("the gate was closed by somebody: `tillflow holds rebuild` opens it")
            if now >= sweep_at:
                sweep_at = now + self._sweep_seconds
                self._sweep()
            if now >= status_at:
                status_at = now + STATUS_SECONDS
                self._report(state, epoch)
            stop.wait(min(LOOK_SECONDS, self._sweep_seconds))

    def _look(self, epoch: str) -> str:
        state = self._gate.gate_state()
        if state.state == "empty" or state.epoch != epoch:
            msg = f"the gate is not that of epoch {epoch} any more: Redis was emptied or restored"
            raise GateLost(msg)
        if state.restarted:
            msg = "Redis was restarted"
            raise GateLost(msg)
        if self._redis("GET", self._keys.request) == REBUILD:
            self._fenced.close_gate()
            self._redis("DEL", self._keys.request)
            msg = "somebody asks for a rebuild"
            raise GateLost(msg)
        return state.state

    def _sweep(self) -> None:
        try:
            while (swept := self._gate.sweep(SWEEP_LIMIT)) > 0:
                self._status.count(swept=swept)
                if swept < SWEEP_LIMIT:
                    break
        except GateClosed:
            pass  # told by the look

    def _report(self, state: str, epoch: str) -> None:
        log = self._gate.protocol.keys.log
        waiting, first, (seconds, micros) = self._gate.run(
            keeper_calls.send(("XLEN", log), ("XRANGE", log, "-", "+", "COUNT", 1), ("TIME",))
        )
        oldest = None
        if first:
            told_at = int(first[0][0].partition(b"-")[0])
            oldest = round(int(seconds) * 1000 + int(micros) / 1000 - told_at, 1)
        body = self._status.now(
            role="active", gate=state, epoch=epoch, outbox=int(waiting), oldest_waits_ms=oldest
        )
        self._redis("SET", self._keys.status, body, "EX", STATUS_KEPT_SECONDS)

    def _redis(self, *command: Any) -> Any:
        try:
            return self._execute(*command)
        except RedisError as wrong:
            raise self._gate.protocol.unavailable(wrong) from wrong


def keeps_every_write(gate: Blocking) -> bool:
    """Whether the server has each write on disk before it answers; in doubt not."""
    execute: Callable[..., Any] = gate.client.execute_command
    try:
        found = execute("CONFIG", "GET", "appendonly"), execute("CONFIG", "GET", "appendfsync")
    except RedisError:
        return False
    values = {str(value) for each in found for value in dict(each).values()}
    return values == {"yes", "always"}
