"""Who is at work in each slot, and how many serve at each task."""

from __future__ import annotations

from collections import Counter

from operators.roster.problem import SLOTS, Problem
from operators.roster.roster import Roster


class Presence:
    """`at_work`: the people of each slot, breaks taken off; `on_duty`: breaks left in.

    `serving`: heads by task and slot, those that duties take off.
    """

    def __init__(self, problem: Problem, roster: Roster) -> None:
        slots = len(problem.days) * SLOTS
        self.at_work: list[list[int]] = [[] for _ in range(slots)]
        self.on_duty: list[list[int]] = [[] for _ in range(slots)]
        serving: Counter[tuple[str, int]] = Counter()
        for shift in roster.shifts:
            for at, task in enumerate(shift.tasks):
                within = shift.start + at
                slot = shift.day * SLOTS + within
                if not 0 <= slot < slots:
                    continue
                self.on_duty[slot].append(shift.person)
                if shift.pause is None or not shift.pause <= within < shift.pause + problem.pause:
                    self.at_work[slot].append(shift.person)
                    if task is not None:
                        serving[task, slot] += 1
        for duty, start in zip(problem.duties, roster.duties, strict=False):
            for slot in range(start, start + duty.length):
                serving[duty.task, slot] -= duty.heads
        self.serving: dict[tuple[str, int], int] = dict(serving)
