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
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from operators.roster.need.erlang import Queue, served_within

States = NDArray[np.float64]

# A queue is not followed past this many waiting customers: by then any goal is missed.
MOST_WAITING = 60
# Looks at the distribution within a quarter of an hour; between two of them it changes little.
LOOKS = 3
# What is left of the Poisson sum when it is cut off.
_TAIL = 1e-7


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
    # The places before the counters grow with the heads: enough for them and a queue.
    size = heads + MOST_WAITING + 1
    now = np.zeros(size)
    kept = min(size, len(states))
    now[:kept] = states[:kept]
    now[-1] += states[kept:].sum()
    count = np.arange(size)
    out = np.minimum(count, heads) * queue.service + np.maximum(count - heads, 0) * queue.leaving
    rate = max(float(out[-1]) + queue.arrivals, 1e-9)
    up = queue.arrivals / rate
    down = out / rate
    stay = 1.0 - down - up
    stay[-1] += up
    step = seconds / LOOKS
    mean = np.zeros(size)
    for _ in range(LOOKS):
        ended, average = _jump(now, up, down, stay, rate * step)
        mean += average / LOOKS
        now = ended
    return now, _judge(mean, queue, heads, seconds, within_s)


def compare(
    states: States, queue: Queue, heads: Sequence[int], seconds: float
) -> tuple[list[float], list[float]]:
    """For each number of heads: how many wait at the end of an interval, and on average in it.

    The same as `advance` for each of them, at once: that is several times as fast.
    """
    size = max(heads) + MOST_WAITING + 1
    kept = min(size, len(states))
    now = np.zeros((len(heads), size))
    now[:, :kept] = states[:kept]
    now[:, -1] += states[kept:].sum()
    count = np.arange(size)
    people = np.array(heads)[:, None]
    waiting = np.maximum(count - people, 0)
    out = np.minimum(count, people) * queue.service + waiting * queue.leaving
    rate = max(float(out.max()) + queue.arrivals, 1e-9)
    up = queue.arrivals / rate
    down = out / rate
    stay = 1.0 - down - up
    stay[:, -1] += up
    step = seconds / LOOKS
    mean = np.zeros_like(now)
    for _ in range(LOOKS):
        now, average = _jump(now, up, down, stay, rate * step)
        mean += average / LOOKS
    return (waiting * now).sum(-1).tolist(), (waiting * mean).sum(-1).tolist()


def _jump(
    states: States, up: float, down: States, stay: States, jumps: float
) -> tuple[States, States]:
    """The distribution at the end of a step, and its mean over the step."""
    most = int(jumps + 6 * math.sqrt(jumps) + 12)
    # The chance of n jumps, by logarithms so that nothing underflows.
    numbers = np.arange(most + 1)
    logs = numbers * math.log(jumps) - jumps - _log_factorials(most)
    chances = np.exp(logs)
    later = np.maximum(1.0 - np.cumsum(chances), 0.0)
    ended = np.zeros_like(states)
    average = np.zeros_like(states)
    now = states
    for number in range(most + 1):
        ended += chances[number] * now
        # The mean over the step weighs state n by the chance of more than n jumps over jumps.
        average += later[number] / jumps * now
        if later[number] < _TAIL:
            break
        following = now * stay
        following[..., 1:] += now[..., :-1] * up
        following[..., :-1] += now[..., 1:] * down[..., 1:]
        now = following
    return ended / ended.sum(-1, keepdims=True), average / average.sum(-1, keepdims=True)


def _log_factorials(most: int) -> States:
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, most + 1)))))


def _judge(mean: States, queue: Queue, heads: int, seconds: float, within_s: float) -> Interval:
    waiting = float(np.maximum(np.arange(len(mean)) - heads, 0) @ mean)
    serving = float(np.minimum(np.arange(len(mean)), heads) @ mean)
    served = float(mean[:heads].sum())
    if heads:
        ahead = len(mean) - heads
        chances = np.fromiter(islice(served_within(queue, heads, within_s), ahead), float, ahead)
        served += float(mean[heads:] @ chances)
    wait_s = waiting / queue.arrivals if queue.arrivals > 0 else 0.0
    return Interval(
        wait_s,
        min(served, 1.0) if queue.arrivals > 0 else 1.0,
        queue.leaving * waiting * seconds,
        waiting,
        serving / heads if heads else 0.0,
    )


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
