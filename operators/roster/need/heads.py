"""The fewest heads in every interval that keep a service goal, with what the one before left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from operators.roster.need.carry import Interval, advance, empty
from operators.roster.need.erlang import Queue, balance

# Where even so many do not do, something is wrong with the figures.
MOST_HEADS = 200


class Goal(NamedTuple):
    """What a customer is promised; parts that are None do not count.

    `share` of all who come are served within `within_s`; the mean wait is at most `wait_s`; people
    are busy for at most `busy` of their time.
    """

    share: float | None = None
    within_s: float = 0.0
    wait_s: float | None = None
    busy: float | None = None

    def met(self, within: float, wait_s: float, busy: float) -> bool:
        """Whether these figures keep it."""
        return (
            (self.share is None or within >= self.share)
            and (self.wait_s is None or wait_s <= self.wait_s)
            and (self.busy is None or busy <= self.busy)
        )


class Need(NamedTuple):
    """Heads for an interval and what the customers find with them."""

    heads: int
    interval: Interval


def heads_in_balance(queue: Queue, goal: Goal) -> int:
    """The fewest heads that keep the goal in the long run, each interval for itself.

    Raises:
        ValueError: no number of heads up to `MOST_HEADS` keeps it.
    """
    if queue.arrivals <= 0:
        return 0
    first = 0 if queue.leaving > 0 else math.floor(queue.load) + 1
    for heads in range(first, MOST_HEADS + 1):
        found = balance(queue, heads, goal.within_s)
        if goal.met(found.within, found.wait_s, found.busy):
            return heads
    msg = (
        f"{MOST_HEADS} heads do not keep the goal {goal} with a load of {queue.load:.1f}: "
        "look at the service time and the goal"
    )
    raise ValueError(msg)


def heads_carried(queues: Sequence[Queue], goal: Goal, seconds: float) -> list[Need]:
    """The fewest heads interval by interval, from an empty shop.

    A queue that an interval leaves is work for the next. Where the goal cannot be kept because too
    many are there already, so many heads are asked for as an interval of its own would need for the
    customers that come and those that are there.
    """
    states = empty()
    needs = []
    for queue in queues:
        heads = heads_in_balance(queue, goal)
        while True:
            after, interval = advance(states, queue, heads, seconds, goal.within_s)
            if goal.met(interval.within, interval.wait_s, interval.busy):
                break
            there = sum(share * count for count, share in enumerate(states.tolist()))
            crowd = queue._replace(arrivals=queue.arrivals + there / seconds)
            if heads >= max(1, heads_in_balance(crowd, goal)):
                break
            heads += 1
        # Fewer may do after a quiet interval: it leaves free hands, balance does not know that.
        while heads > 0:
            fewer, found = advance(states, queue, heads - 1, seconds, goal.within_s)
            if not goal.met(found.within, found.wait_s, found.busy):
                break
            heads, after, interval = heads - 1, fewer, found
        needs.append(Need(heads, interval))
        states = after
    return needs
