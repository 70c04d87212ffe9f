"""What is going to happen, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

# Of two things in the same millisecond the one with the lower rank comes first: a count sees
# everything that carries its own time, as its event will claim.
FIRST, LAST = 0, 1


class Agenda:
    """A heap of acts. Ties are broken by the order in which they were put in."""

    def __init__(self) -> None:
        self._acts: list[tuple[int, int, int, Callable[..., object], tuple[Any, ...]]] = []
        self._number = 0
        self.now_ms = -(10**15)

    def at(self, when_ms: int, act: Callable[..., object], *values: object) -> None:
        """Puts an act in, later than the one that is happening now."""
        self._put(when_ms, FIRST, act, values)

    def after_all_at(self, when_ms: int, act: Callable[..., object], *values: object) -> None:
        """Puts an act in that follows all others of its millisecond."""
        self._put(when_ms, LAST, act, values)

    def _put(
        self, when_ms: int, rank: int, act: Callable[..., object], values: tuple[object, ...]
    ) -> None:
        self._number += 1
        heapq.heappush(self._acts, (max(when_ms, self.now_ms + 1), rank, self._number, act, values))

    def next_ms(self) -> int | None:
        """When the next act is due."""
        return self._acts[0][0] if self._acts else None

    def step(self) -> None:
        """Lets the next act happen."""
        self.now_ms, _, _, act, values = heapq.heappop(self._acts)
        act(*values)
