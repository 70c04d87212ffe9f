"""A week of single customers at a roster's counters: a discrete-event simulation.

Customers are drawn before anybody serves them, so that every roster meets the same ones (common
random numbers). They come as a Poisson stream whose rate is constant within a quarter of an hour,
wait in the order they came, and give up when their patience is over. Who is being served when a
head leaves is served to the end. After closing, the last quarter's heads serve who is still there.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

from operators.roster.compare.draws import Draws
from operators.roster.problem import SLOT_S


class Customer(NamedTuple):
    """When one comes (seconds from opening), how long the service takes, how long they wait."""

    comes: float
    service: float
    patience: float


class Service(NamedTuple):
    """Seconds: the mean service, its coefficient of variation (1: exponential), mean patience."""

    mean_s: float
    spread: float
    patience_s: float


@dataclass(slots=True)
class Served:
    """What customers found: the wait of each who came, also of those who gave up, and how many."""

    waits: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def came(self) -> int:
        """All who came."""
        return len(self.waits)


def customers(draws: Draws, expected: Sequence[float], service: Service) -> list[Customer]:
    """A day's customers, by those expected in each quarter."""
    found = []
    for slot, count in enumerate(expected):
        at = 0.0
        while count > 0 and (at := at + draws.expovariate(count / SLOT_S)) < SLOT_S:
            found.append(
                Customer(
                    slot * SLOT_S + at,
                    _service(draws, service),
                    draws.expovariate(1 / service.patience_s) if service.patience_s else math.inf,
                )
            )
    return found


def _service(draws: Draws, service: Service) -> float:
    if service.spread == 1.0:
        return draws.expovariate(1 / service.mean_s)
    sigma2 = math.log(1 + service.spread**2)
    return draws.lognormvariate(math.log(service.mean_s) - sigma2 / 2, math.sqrt(sigma2))


def serve(day: Sequence[Customer], heads: Sequence[int], found: Served) -> None:
    """Adds what a day's customers find with so many heads in each quarter."""
    queue: deque[Customer] = deque()
    ends: list[float] = []
    changes = [slot * SLOT_S for slot in range(1, len(heads)) if heads[slot] > heads[slot - 1]]
    coming, change = 0, 0
    while coming < len(day) or queue:
        arrival = day[coming].comes if coming < len(day) else math.inf
        more = changes[change] if change < len(changes) else math.inf
        free = ends[0] if ends else math.inf
        now = min(arrival, more, free)
        if math.isinf(now):
            break
        if now == free:
            heappop(ends)
        elif now == more:
            change += 1
        else:
            queue.append(day[coming])
            coming += 1
        there = heads[min(int(now / SLOT_S), len(heads) - 1)]
        while queue and len(ends) < there:
            one = queue.popleft()
            if one.comes + one.patience < now:
                found.waits.append(one.patience)
                found.lost += 1
            else:
                found.waits.append(now - one.comes)
                heappush(ends, now + one.service)
    # Nobody is left to serve them.
    for one in queue:
        found.waits.append(one.patience)
        found.lost += 1
