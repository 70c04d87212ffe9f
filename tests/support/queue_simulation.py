"""Customers one by one: first come first served, staff that changes, patience. No formula."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush


@dataclass
class Tally:
    """What the customers who came in one interval found; `left` are those who gave up in it."""

    came: int = 0
    waited_s: float = 0.0
    soon: int = 0
    left: int = 0

    @property
    def wait_s(self) -> float:
        return self.waited_s / max(1, self.came)

    @property
    def within(self) -> float:
        return self.soon / max(1, self.came)


def simulate(
    rng: random.Random,
    arrivals: Sequence[float],
    heads: Sequence[int],
    seconds: float,
    service: Callable[[], float],
    patience: Callable[[], float] | None = None,
    within_s: float = 0.0,
    tallies: list[Tally] | None = None,
) -> list[Tally]:
    """One day; `arrivals` a second in each interval. A person who leaves finishes the customer."""
    tallies = tallies or [Tally() for _ in arrivals]
    # Time, order, what: a change of staff comes before an arrival of the same moment.
    events: list[tuple[float, int, int]] = []
    for slot, rate in enumerate(arrivals):
        events.append((slot * seconds, slot, -1))
        at = slot * seconds
        while rate > 0:
            at += rng.expovariate(rate)
            if at >= (slot + 1) * seconds:
                break
            events.append((at, len(events), slot))
    events.sort()
    done: list[float] = []
    queue: list[tuple[float, int, float]] = []
    people = 0

    def begin(now: float) -> None:
        while queue and len(done) < people:
            came, slot, gives_up = queue.pop(0)
            tally = tallies[slot]
            if gives_up <= now:
                tallies[min(int(gives_up // seconds), len(tallies) - 1)].left += 1
                tally.waited_s += gives_up - came
                continue
            tally.waited_s += now - came
            tally.soon += now - came <= within_s + 1e-9
            heappush(done, now + service())

    def finish(until: float) -> None:
        while done and done[0] <= until:
            begin(heappop(done))

    for now, order, slot in events:
        finish(now)
        if slot < 0:
            people = heads[order]
        else:
            tallies[slot].came += 1
            queue.append((now, slot, now + patience() if patience else float("inf")))
        begin(now)
    people = max(people, 1)
    begin(events[-1][0] if events else 0.0)
    finish(float("inf"))
    return tallies
