"""Queues that are not in balance: what one quarter of an hour leaves is carried into the next.

How many customers are there is a Markov process whose rates are constant within a quarter: its
distribution is carried forward by uniformization ("randomization": Jensen 1953, Grassmann 1977),
which Ingolfsson, Akhmetshina, Budge, Li and Wu (2007, INFORMS Journal on Computing 19) found the
most accurate of the ways to judge service in queues with changing staff. Service times count as
exponential. Who is being served when a person leaves goes back to the head of the queue.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from operators.roster.need.erlang import Queue, served_within

States = NDArray[np.float64]

# A queue is not followed past this many waiting customers: by then any goal is missed.
MOST_WAITING = 60
# What is left of the Poisson sum when it is cut off.
_TAIL = 1e-7
# A chance that changes no figure.
_NOTHING = 1e-13


class Interval(NamedTuple):
    """What happens in one interval, over all who come in it.

    `wait_s` is the mean wait (by Little's law, with those who give up), `within` the share served
    within the time asked for, `left` the customers expected to give up, `queue` the mean number
    that waits and `busy` the share of the people's time spent serving.
    """

    wait_s: float
    within: float
    left: float
    queue: float
    busy: float


def empty() -> States:
    """Nobody is there."""
    states = np.zeros(MOST_WAITING + 1)
    states[0] = 1.0
    return states


def advance(
    states: States, queue: Queue, heads: int, seconds: float, within_s: float = 0.0
) -> tuple[States, Interval]:
    """The distribution after an interval, and what it was like."""
    ended, mean = look(states, queue, [heads], seconds)
    return ended[0], judge(mean[0], queue, heads, seconds, within_s)


def look(
    states: States, queue: Queue, heads: Sequence[int], seconds: float
) -> tuple[States, States]:
    """For each number of heads: the distribution after an interval, and its mean over it.

    All of them at once: that is several times as fast as one by one.
    """
    # The places before the counters grow with the heads: enough for them and a queue.
    size = max(heads) + MOST_WAITING + 1
    kept = min(size, len(states))
    now = np.zeros((len(heads), size))
    now[:, :kept] = states[:kept]
    now[:, -1] += states[kept:].sum()
    count = np.arange(size)
    people = np.array(heads)[:, None]
    out = np.minimum(count, people) * queue.service
    out = out + np.maximum(count - people, 0) * queue.leaving
    rate = max(float(out.max()) + queue.arrivals, 1e-9)
    up = queue.arrivals / rate
    down = out / rate
    stay = 1.0 - down - up
    stay[:, -1] += up
    return _jump(now, up, down, stay, rate * seconds)


def waiting(states: States, heads: Sequence[int]) -> list[float]:
    """How many wait, on average, in each row's distribution with that row's heads."""
    count = np.arange(states.shape[-1])
    queue = np.maximum(count - np.array(heads)[:, None], 0)
    return [float(one) for one in (queue * states).sum(-1)]


def _jump(
    states: States, up: float, down: States, stay: States, jumps: float
) -> tuple[States, States]:
    """The distribution at the end of a time with so many jumps, and its mean over that time."""
    most = int(jumps + 6 * math.sqrt(jumps) + 12)
    # The chance of n jumps, by logarithms so that nothing underflows.
    numbers = np.arange(most + 1)
    logs = numbers * math.log(jumps) - jumps - _log_factorials(most)
    chances = np.exp(logs)
    later = np.maximum(1.0 - np.cumsum(chances), 0.0)
    # The mean over the time weighs state n by the chance of more than n jumps over jumps.
    weights = later / jumps
    fewer = np.ascontiguousarray(down[..., 1:])
    ended, average = np.zeros_like(states), np.zeros_like(states)
    now, following, part = states.copy(), np.empty_like(states), np.empty_like(states)
    for number in range(most + 1):
        if chances[number] > _NOTHING:
            ended += np.multiply(now, chances[number], out=part)
        average += np.multiply(now, weights[number], out=part)
        if later[number] < _TAIL:
            break
        np.multiply(now, stay, out=following)
        following[..., 1:] += np.multiply(now[..., :-1], up, out=part[..., 1:])
        following[..., :-1] += np.multiply(now[..., 1:], fewer, out=part[..., 1:])
        now, following = following, now
    return ended / ended.sum(-1, keepdims=True), average / average.sum(-1, keepdims=True)


@cache
def _log_factorials(most: int) -> States:
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, most + 1)))))


def judge(mean: States, queue: Queue, heads: int, seconds: float, within_s: float) -> Interval:
    """What an interval was like, by its mean distribution."""
    waiting = float(np.maximum(np.arange(len(mean)) - heads, 0) @ mean)
    serving = float(np.minimum(np.arange(len(mean)), heads) @ mean)
    served = float(mean[:heads].sum())
    if heads:
        served += float(
            mean[heads:] @ _chances(queue._replace(arrivals=0.0), heads, within_s, len(mean))
        )
    wait_s = waiting / queue.arrivals if queue.arrivals > 0 else 0.0
    return Interval(
        wait_s,
        min(served, 1.0) if queue.arrivals > 0 else 1.0,
        queue.leaving * waiting * seconds,
        waiting,
        serving / heads if heads else 0.0,
    )


# Arrivals do not matter for those who are there already: a day's quarters have few different ones.
@lru_cache(maxsize=1_000)
def _chances(queue: Queue, heads: int, within_s: float, size: int) -> States:
    """The chance to be served within a time for who finds 0, 1, 2, ... waiting."""
    ahead = size - heads
    return np.fromiter(islice(served_within(queue, heads, within_s), ahead), float, ahead)


def follow(
    queues: Sequence[Queue], heads: Sequence[int], seconds: float, within_s: float = 0.0
) -> list[Interval]:
    """What each interval of a day is like, one after the other, from an empty shop."""
    states = empty()
    intervals = []
    for queue, people in zip(queues, heads, strict=True):
        states, interval = advance(states, queue, people, seconds, within_s)
        intervals.append(interval)
    return intervals
