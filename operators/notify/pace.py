"""How fast: waits between tries, and the cap of a provider."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from schemas.hooks import Retry
from schemas.instants import MINUTE_US, SECOND_US

# Messages that failed together are not tried again at the very same moment.
JITTER = 0.2


def wait_after(attempts: int, retry: Retry, seed: str) -> int | None:
    """Microseconds until the next try after that many; None when there is no further one.

    The jitter comes from `seed`, so that the same message waits the same.
    """
    if attempts >= retry.attempts:
        return None
    seconds = retry.most_seconds
    # Powers of a large number of attempts would overflow long after they matter.
    grown = retry.first_seconds
    for _ in range(attempts - 1):
        grown *= retry.factor
        if grown >= retry.most_seconds:
            break
    seconds = min(seconds, grown)
    digest = hashlib.sha256(f"{seed}#{attempts}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 0xFFFFFFFF
    return round(seconds * (1 + JITTER * (2 * share - 1)) * SECOND_US)


def earliest(sent: Sequence[int], per_minute: int, now: int) -> int:
    """When the next request may leave, given the instants of those before (ascending)."""
    if len(sent) < per_minute:
        return now
    return max(now, sent[-per_minute] + MINUTE_US)
