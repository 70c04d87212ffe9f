"""One keeper a pool: a lease in Redis, and a gate whose every write checks that it still holds.

A keeper that was stopped for longer than its lease and wakes up may still believe that it is the
one. Relaying, projecting, sweeping and re-placing twice does no harm (equal ids, versions, atomic
calls); writing a gate anew would, so that is done through `FencedGate`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError, WatchError

from sinks.redis.client import HoldGate
from sinks.redis.errors import GateError
from sinks.redis.keys import Keys
from sinks.redis.protocol import Command
from sinks.redis.settings import GateSettings

TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
GIVE_UP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
FENCE_TRIES = 50


class LeaseLost(GateError):
    """Another keeper may be at work: this one stops until it has the lease again."""


class KeeperKeys:
    """Keys of the keeper, in the pool's slot but not among those that a rebuild clears."""

    def __init__(self, pool: str) -> None:
        tag = Keys(pool).tag
        self.lease = f"keeper:{tag}"
        self.offsets = f"keeper-offsets:{tag}"
        self.risks = f"keeper-risks:{tag}"
        self.status = f"keeper-status:{tag}"
        self.request = f"keeper-request:{tag}"


class Lease:
    """The right to be the keeper of a pool, for a time that is renewed."""

    def __init__(self, gate: HoldGate, seconds: float) -> None:
        self.key = KeeperKeys(gate.settings.pool).lease
        self.token = uuid.uuid4().hex
        self._gate = gate
        self._milliseconds = max(1, round(seconds * 1000))

    def take(self) -> bool:
        """Whether it is this keeper's, now or still."""
        return bool(self._call(TAKE))

    def renew(self) -> bool:
        """Whether it is still this keeper's."""
        return bool(self._call(RENEW))

    def give_up(self) -> None:
        """Let the next one take it at once."""
        self._call(GIVE_UP)

    def _call(self, script: str) -> int:
        execute: Callable[..., Any] = self._gate.client.execute_command
        try:
            return int(execute("EVAL", script, 1, self.key, self.token, self._milliseconds))
        except RedisError as wrong:
            raise self._gate.protocol.unavailable(wrong) from wrong


class FencedGate(HoldGate):
    """A gate that writes only while a lease is held: each step is a transaction that checks it."""

    def __init__(self, settings: GateSettings, lease: Lease) -> None:
        """Prepare the gate; nothing is sent before the first call."""
        super().__init__(settings)
        self._lease = lease

    def _send(self, commands: list[Command]) -> list[Any]:
        try:
            with self.client.pipeline(transaction=True) as pipeline:
                watch: Callable[..., Any] = pipeline.watch
                queue: Callable[..., Any] = pipeline.execute_command
                for _ in range(FENCE_TRIES):
                    try:
                        watch(self._lease.key)
                        if queue("GET", self._lease.key) != self._lease.token.encode():
                            msg = "another keeper has the lease: nothing was written"
                            raise LeaseLost(msg)
                        pipeline.multi()
                        for command in commands:
                            queue(*command)
                        return pipeline.execute(raise_on_error=False)
                    except WatchError:
                        continue  # it was renewed in between
        except RedisError as wrong:
            raise self.protocol.unavailable(wrong) from wrong
        msg = "the lease kept changing"
        raise LeaseLost(msg)
