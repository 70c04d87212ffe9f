"""What customers can expect with a roster, interval by interval, with queues carried over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from operators.roster.need.carry import follow
from operators.roster.need.erlang import Queue
from operators.roster.prepare import queues_of, task_name
from operators.roster.problem import SLOT_S, SLOTS, Problem, slot_of
from schemas.roster import RosterFile


class Wait(NamedTuple):
    """A task in an interval; `wait_s` is the mean wait of those who come, None without customers.

    `slot` counts from the first day; `cost` is what the heads there cost by the waiting rule.
    """

    task: str
    slot: int
    needed: int
    heads: int
    wait_s: float | None
    left: float
    cost: int


def waits(file: RosterFile, problem: Problem, heads: dict[tuple[str, int], int]) -> Iterator[Wait]:
    """Every interval of every need, with the heads that serve there."""
    dates = {one: at for at, one in enumerate(problem.days)}
    for need in file.need:
        day = dates.get(need.date.isoformat())
        if day is None:
            continue
        task, first = task_name(need.shop, need.task), day * SLOTS + slot_of(need.start)
        many = len(need.heads or need.arrivals)
        there = [max(0, heads.get((task, first + at), 0)) for at in range(many)]
        queues: list[Queue] = queues_of(file.tasks[need.task], need) if need.arrivals else []
        intervals = follow(queues, there, SLOT_S) if queues else [None] * many
        for at, (count, interval) in enumerate(zip(there, intervals, strict=True)):
            demand = problem.demands[task][first + at]
            yield Wait(
                task,
                first + at,
                demand.heads,
                count,
                None if interval is None else interval.wait_s,
                0.0 if interval is None else interval.left,
                demand.with_heads(count),
            )
