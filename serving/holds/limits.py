"""Requests a second of each key: one token bucket in Redis, shared by all API processes.

A process takes some tokens at a time and spends them by itself, so that most requests cost no
trip. What it took it has taken from the bucket, so no more is ever spent than the key may; up to
one handful may lie idle in another process for `IDLE_SECONDS`.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
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


@dataclass
class _Purse:
    """Tokens of one key that this process has taken, or when there will be some again."""

    tokens: int = 0
    until: float = 0.0
    empty_until: float = 0.0
    filling: asyncio.Lock = field(default_factory=asyncio.Lock)


class RateLimits:
    """Who may make one more request now."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._purses: dict[str, _Purse] = {}

    async def wait_seconds(self, key: ApiKey) -> int:
        """0 when the request may be made, else after how many seconds to come again.

        While Redis does not answer, requests pass: they will fail by themselves.
        """
        purse = self._purses.setdefault(key.id, _Purse())
        if _spend(purse):
            return 0
        # One of the requests that find it empty fills it, for all.
        async with purse.filling:
            if _spend(purse):
                return 0
            wait = purse.empty_until - time.monotonic()
            if wait <= 0:
                try:
                    wait = await self._fill(key, purse)
                except RedisError:
                    return 0
            return 0 if wait <= 0 and _spend(purse) else max(1, math.ceil(wait))

    async def _fill(self, key: ApiKey, purse: _Purse) -> float:
        """Take a handful; the seconds until there is a token where there was none."""
        wanted = max(1, min(int(key.burst), int(key.rate * HANDFUL_SECONDS)))
        name = f"tillflow:rate:{key.id}"
        taken = int(await self._execute("EVAL", BUCKET, 1, name, key.rate, key.burst, wanted))
        now = time.monotonic()
        if taken <= 0:
            # A flood of refused requests does not reach Redis.
            purse.empty_until = now - taken / 1000
            return -taken / 1000
        purse.tokens, purse.until = taken, now + IDLE_SECONDS
        return 0.0


def _spend(purse: _Purse) -> bool:
    if purse.tokens > 0 and time.monotonic() < purse.until:
        purse.tokens -= 1
        return True
    return False
