"""Whether a Redis server may keep holds: judged from what its INFO says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sinks.redis.errors import ServerUnfit

OLDEST = (6, 2)
FUNCTIONS_SINCE = (7, 0)


def version_of(info: Mapping[str, Any]) -> tuple[int, ...]:
    """Major and minor version; Valkey tells the Redis version that it is compatible with."""
    return tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])


def judge(info: Mapping[str, Any]) -> list[str]:
    """Warnings about a server that works but may lose holds.

    Raises:
        ServerUnfit: it would evict holds, or is too old.
    """
    if version_of(info) < OLDEST:
        msg = f"Redis {info['redis_version']} is too old for the hold gate: it needs 6.2 or newer"
        raise ServerUnfit(msg)
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        msg = (
            f"maxmemory-policy is {policy}: the server would throw holds away when its memory is "
            "full. Set `maxmemory-policy noeviction`, or give the gate a server of its own"
        )
        raise ServerUnfit(msg)
    if info.get("role") not in {None, "master"}:
        msg = "the server is a replica: holds are taken on the primary only"
        raise ServerUnfit(msg)
    warnings = []
    if not int(info.get("aof_enabled", 0)):
        warnings.append(
            "the server keeps no append-only file: after a restart every hold is lost until the "
            "gate is rebuilt. Set `appendonly yes`"
        )
    if info.get("aof_last_write_status", "ok") != "ok":
        warnings.append("the last write of the append-only file failed: see the server's log")
    return warnings
