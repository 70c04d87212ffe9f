"""Requests a second of each key: one token bucket in Redis, shared by all API processes.

A process takes some tokens at a time and spends them by itself, so that most requests cost no
trip. What it took it has taken from the bucket, so no more is ever spent than the key may; up to
one handful may lie idle in another process for `IDLE_SECONDS`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

from redis.exceptions import RedisError

from serving.holds.keys import ApiKey

# A handful is what a key may spend in this time, at most.
HANDFUL_SECONDS = 0.05
IDLE_SECONDS = 1.0
# KEYS 1 the bucket; ARGV rate, burst, wanted. Answers tokens taken, or minus the ms to wait.
BUCKET = """
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local f = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(f[1] or burst)
tokens = math.min(burst, tokens + math.max(0, now - tonumber(f[2] or now)) * rate / 1000)
local taken = math.min(wanted, math.floor(tokens))
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - taken), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst * 1000 / rate) + 1000)
if taken > 0 then return taken end
return -math.ceil((1 - tokens) * 1000 / rate)
"""

Execute = Callable[..., Awaitable[Any]]


class RateLimits:
    """Who may make one more request now."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._purses: dict[str, tuple[int, float]] = {}

    async def wait_seconds(self, key: ApiKey) -> int:
        """0 when the request may be made, else after how many seconds to come again.

        While Redis does not answer, requests pass: they will fail by themselves.
        """
        now = time.monotonic()
        tokens, until = self._purses.get(key.id, (0, 0.0))
        if tokens > 0 and now < until:
            self._purses[key.id] = (tokens - 1, until)
            return 0
        wanted = max(1, min(int(key.burst), int(key.rate * HANDFUL_SECONDS)))
        name = f"tillflow:rate:{key.id}"
        try:
            taken = int(await self._execute("EVAL", BUCKET, 1, name, key.rate, key.burst, wanted))
        except RedisError:
            return 0
        if taken <= 0:
            return max(1, math.ceil(-taken / 1000))
        # Another request may have filled the purse meanwhile.
        left, until = self._purses.get(key.id, (0, 0.0))
        now = time.monotonic()
        left = left if now < until else 0
        self._purses[key.id] = (left + taken - 1, now + IDLE_SECONDS)
        return 0
