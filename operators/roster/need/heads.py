"""The fewest heads in every interval that keep a service goal, with what the one before left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from operators.roster.need.carry import Interval, States, empty, judge, look, waiting
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


class Table:
    """An interval with every number of heads that is asked for, looked at together where it can."""

    def __init__(
        self, states: States, queue: Queue, goal: Goal, seconds: float, first: range
    ) -> None:
        self._states, self._queue, self._seconds = states, queue, seconds
        self._goal = goal
        self._known: dict[int, tuple[States, States]] = {}
        self.look(first)

    def look(self, heads: Sequence[int]) -> None:
        """Has these numbers of heads known."""
        new = [one for one in heads if one not in self._known]
        if new:
            ended, mean = look(self._states, self._queue, new, self._seconds)
            self._known.update(zip(new, zip(ended, mean, strict=True), strict=True))

    def after(self, heads: int) -> States:
        """The distribution at the end."""
        self.look([heads])
        return self._known[heads][0]

    def interval(self, heads: int) -> Interval:
        """What customers find."""
        self.look([heads])
        mean = self._known[heads][1]
        return judge(mean, self._queue, heads, self._seconds, self._goal.within_s)

    def waiting(self, heads: int) -> tuple[float, float]:
        """How many wait at the end, and on average."""
        self.look([heads])
        ended, mean = self._known[heads]
        return waiting(ended[None], [heads])[0], waiting(mean[None], [heads])[0]

    def keeps(self, heads: int) -> bool:
        """Whether so many keep the goal."""
        found = self.interval(heads)
        return self._goal.met(found.within, found.wait_s, found.busy)


class Need(NamedTuple):
    """Heads for an interval and what the customers find with them; others are in the table."""

    heads: int
    interval: Interval
    table: Table


def heads_carried(
    queues: Sequence[Queue], goal: Goal, seconds: float, *, below: int = 1, above: int = 0
) -> list[Need]:
    """The fewest heads interval by interval, from an empty shop.

    A queue that an interval leaves is work for the next. Where the goal cannot be kept because too
    many are there already, so many heads are asked for as an interval of its own would need for the
    customers that come and those that are there. So many heads `below` and `above` are looked at
    with them.
    """
    states = empty()
    needs = []
    for queue in queues:
        heads = heads_in_balance(queue, goal)
        table = Table(states, queue, goal, seconds, range(max(0, heads - below), heads + above + 1))
        while not table.keeps(heads):
            there = sum(share * count for count, share in enumerate(states.tolist()))
            crowd = queue._replace(arrivals=queue.arrivals + there / seconds)
            if heads >= max(1, heads_in_balance(crowd, goal)):
                break
            heads += 1
        # Fewer may do after a quiet interval: it leaves free hands, balance does not know that.
        while heads > 0 and table.keeps(heads - 1):
            heads -= 1
        needs.append(Need(heads, table.interval(heads), table))
        states = table.after(heads)
    return needs
