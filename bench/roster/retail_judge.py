"""Judges rosters of retail instances: reads the instance only, knows nothing of any model.

The rules are not in the files; they are those of the article and of the instances' page. Where a
day may begin at midnight or at six, a roster has to be right for both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import NamedTuple

from bench.roster.retail_read import FIRST_QUARTER, QUARTERS_A_DAY, Retail

QUARTER_MIN = 15
SHORTEST_MIN, LONGEST_MIN, REST_MIN, STINT_MIN = 360, 600, 14 * 60, 60
DAYS_IN_A_ROW = 5
# Hours of the day in which shifts may begin, both ends included, in minutes.
STARTS = ((0, 0), (360, 600), (840, 1080), (1200, 1425))


class Worked(NamedTuple):
    """A shift: its first quarter of the horizon, and the task in each quarter."""

    start: int
    tasks: tuple[int, ...]

    @property
    def end(self) -> int:
        """The quarter after the last one."""
        return self.start + len(self.tasks)


Shifts = dict[str, list[Worked]]


class Verdict(NamedTuple):
    """Hard rules that are broken, in words, and the cost."""

    broken: list[str]
    cost: int


def judge(instance: Retail, roster: Shifts) -> Verdict:
    """Every hard rule, and the squares of heads above the maximum."""
    broken = []
    if set(roster) != set(instance.minutes):
        broken.append("the roster has other people than the instance")
    heads: Counter[tuple[int, int]] = Counter()
    for name, shifts in roster.items():
        if name in instance.minutes:
            broken += [f"{name}: {what}" for what in _broken(instance, name, shifts)]
        for shift in shifts:
            heads.update((shift.start + at, task) for at, task in enumerate(shift.tasks))
    cost = 0
    for (quarter, task), (least, most) in instance.cover.items():
        there = heads[quarter, task]
        if there < least:
            broken.append(f"quarter {quarter}: {there} at task {task + 1}, not {least}")
        cost += max(0, there - most) ** 2
    return Verdict(broken, cost)


def _broken(instance: Retail, name: str, shifts: list[Worked]) -> Iterator[str]:
    shifts = sorted(shifts)
    minutes = QUARTER_MIN * sum(len(shift.tasks) for shift in shifts)
    least, most = instance.minutes[name]
    if not least <= minutes <= most:
        yield f"{minutes} minutes, not {least} to {most}"
    for shift in shifts:
        yield from _shift_broken(instance, shift)
    for first, then in pairwise(shifts):
        if (then.start - first.end) * QUARTER_MIN < REST_MIN:
            yield f"too little rest before quarter {then.start}"
    for begins in (0, FIRST_QUARTER):
        days = [(shift.start + begins) // QUARTERS_A_DAY for shift in shifts]
        if len(set(days)) < len(days):
            yield "two shifts begin on a day"
        run = 1
        for before, day in pairwise(days):
            run = run + 1 if day == before + 1 else 1
            if run > DAYS_IN_A_ROW:
                yield f"works more than {DAYS_IN_A_ROW} days in a row until day {day}"


def _shift_broken(instance: Retail, shift: Worked) -> Iterator[str]:
    minutes = QUARTER_MIN * len(shift.tasks)
    if not SHORTEST_MIN <= minutes <= LONGEST_MIN:
        yield f"a shift of {minutes} minutes from quarter {shift.start}"
    clock = (shift.start + FIRST_QUARTER) % QUARTERS_A_DAY * QUARTER_MIN
    if not any(first <= clock <= last for first, last in STARTS):
        yield f"a shift begins {clock} minutes after midnight"
    if shift.start < 0 or shift.end > instance.quarters:
        yield f"a shift from quarter {shift.start} leaves the horizon"
    if any(not 0 <= task < instance.tasks for task in shift.tasks):
        yield f"a shift from quarter {shift.start} has a task that there is not"
    for task, stint in groupby(shift.tasks):
        length = QUARTER_MIN * len(list(stint))
        if length < STINT_MIN:
            yield f"task {task + 1} for {length} minutes in the shift from quarter {shift.start}"
