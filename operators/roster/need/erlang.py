"""Queues in balance: Erlang B, Erlang C, and Erlang A, whose customers have a limited patience.

Customers come as a Poisson stream, are served in the order they came, service times are
exponential. All rates are of one second. In Erlang A each waits for an exponential time and then
leaves (Palm 1957); the share served within a time follows Mandelbaum and Zeltyn (2007), here by
the wait that an endlessly patient customer would have: with k people waiting ahead it is
-ln(B) / leaving for a Beta(heads * service / leaving, k + 1) variable B.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

# What is left of a distribution's tail when its sum is cut off.
TAIL = 1e-12


class Queue(NamedTuple):
    """A counter: `arrivals`, `service` by one person and `leaving` by one who waits, a second."""

    arrivals: float
    service: float
    leaving: float = 0.0

    @property
    def load(self) -> float:
        """How many people would be busy all the time (in Erlang)."""
        return self.arrivals / self.service


class Balance(NamedTuple):
    """A counter in balance.

    `wait_s` is the mean wait of everybody who comes, also of those who give up; `left` the share
    that gives up; `within` the share that is served within the time asked for; `busy` the share of
    the people's time that is spent serving.
    """

    wait_s: float
    within: float
    left: float
    busy: float


NOBODY = Balance(math.inf, 0.0, 1.0, 1.0)


def erlang_b(load: float, heads: int) -> float:
    """The share that is turned away where nobody may wait."""
    blocked = 1.0
    for head in range(1, heads + 1):
        blocked = load * blocked / (head + load * blocked)
    return blocked


def erlang_c(load: float, heads: int) -> float:
    """The share that has to wait; 1 where the queue grows without end."""
    if load >= heads:
        return 1.0
    blocked = erlang_b(load, heads)
    return heads * blocked / (heads - load * (1 - blocked))


def balance(queue: Queue, heads: int, within_s: float = 0.0) -> Balance:
    """What a customer finds in the long run."""
    if queue.arrivals <= 0:
        return Balance(0.0, 1.0, 0.0, 0.0)
    if queue.leaving > 0:
        return _erlang_a(queue, heads, within_s)
    if queue.load >= heads:
        return NOBODY._replace(left=0.0)
    waits = erlang_c(queue.load, heads)
    spare = heads * queue.service - queue.arrivals
    return Balance(waits / spare, 1 - waits * math.exp(-spare * within_s), 0.0, queue.load / heads)


def _erlang_a(queue: Queue, heads: int, within_s: float) -> Balance:
    if heads == 0:
        return Balance(1 / queue.leaving, 0.0, 1.0, 1.0)
    weights = _weights(queue, heads)
    total = math.fsum(weights)
    shares = [weight / total for weight in weights]
    waiting = math.fsum(
        (state - heads) * share for state, share in enumerate(shares[heads:], heads)
    )
    busy = math.fsum(min(state, heads) * share for state, share in enumerate(shares)) / heads
    within = math.fsum(shares[:heads])
    served = served_within(queue, heads, within_s)
    within += math.fsum(share * next(served) for share in shares[heads:])
    return Balance(
        waiting / queue.arrivals, min(within, 1.0), queue.leaving * waiting / queue.arrivals, busy
    )


def _weights(queue: Queue, heads: int) -> list[float]:
    """Of each number of customers that are there, up to where the rest is nothing."""
    weights = [1.0]
    largest = 1.0
    while weights[-1] > TAIL * largest or len(weights) <= heads:
        state = len(weights)
        out = min(state, heads) * queue.service + max(0, state - heads) * queue.leaving
        weights.append(weights[-1] * queue.arrivals / out)
        largest = max(largest, weights[-1])
        if largest > 1e200:
            weights = [weight / largest for weight in weights]
            largest = 1.0
    return weights


def served_within(queue: Queue, heads: int, within_s: float) -> Iterator[float]:
    """The chance to be served within a time for who finds all busy and 0, 1, 2, ... waiting."""
    if queue.leaving <= 0:
        yield from _gamma_chances(heads * queue.service * within_s)
        return
    # E[B; B >= x] for B ~ Beta(shape, k + 1): a customer who would wait t stays with chance
    # exp(-leaving * t) = B, and t <= within_s is B >= x.
    shape = heads * queue.service / queue.leaving
    x = math.exp(-queue.leaving * within_s)
    rest = 1 - x
    # below = P(Beta(shape + 1, k + 1) < x), by its recurrence in k.
    below = x ** (shape + 1)
    term = below * (shape + 1) * rest
    ahead = 0
    while True:
        yield shape / (shape + ahead + 1) * max(0.0, 1 - below)
        ahead += 1
        below += term
        term *= rest * (shape + 1 + ahead) / (ahead + 1)


def _gamma_chances(mean: float) -> Iterator[float]:
    """P(k + 1 services end in time) for k = 0, 1, ...: their number in time is Poisson."""
    term = math.exp(-mean)
    fewer = term
    ahead = 0
    while True:
        yield max(0.0, 1 - fewer)
        ahead += 1
        term *= mean / ahead
        fewer += term
