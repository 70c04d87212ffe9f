"""Grades the work itself suggests: each person's pace at a task, shrunk to that of their peers.

A pace is expected over taken time, 1.1 is ten per cent faster than the store's own line; it is
looked at on the log scale. What is seen of a person is their pace and noise, whose variance follows
from their quarters of an hour; paces of people at a task are normal around a mean. Its variance is
estimated by DerSimonian and Laird's moments (1986, Controlled Clinical Trials 7), each person's
pace is then the mean of what they would be after both (Efron and Morris 1975, JASA 70).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

# Fewer orders say nothing about anybody.
LEAST_ORDERS = 30
LEAST_WINDOWS = 8
# A grade is proposed when another than the present one is this sure.
SURE = 0.9
_MOST = 10


class Work(NamedTuple):
    """A person's quarter of an hour at a task: seconds that service took and should have taken."""

    employee: str
    task: str
    orders: int
    service: float
    expected: float


class Scale(NamedTuple):
    """What a grade is: `middle` is the pace of the task's people, each step so much faster."""

    middle: int = 3
    step: float = 0.1

    def edges(self, grade: int) -> tuple[float, float]:
        """The log paces, beside the mean of the task, that a grade holds."""
        width = math.log1p(self.step)
        low = (grade - self.middle - 0.5) * width
        return (
            -math.inf if grade == 0 else low,
            math.inf if grade == _MOST else low + width,
        )

    def grade(self, pace: float) -> int:
        """The grade of a log pace beside the mean of the task."""
        found = round(self.middle + pace / math.log1p(self.step))
        return min(_MOST, max(0, found))


USUAL = Scale()


class Pace(NamedTuple):
    """A person at a task, on the log scale: `seen` as it is, `pace` shrunk, `sd` what is unsure."""

    employee: str
    task: str
    orders: int
    windows: int
    seen: float
    pace: float
    sd: float
    mean: float


class Proposed(NamedTuple):
    """A pace and the grade it suggests; `present` is None for whom no roster file has one.

    `change`: whether another grade than the present one is proposed.
    """

    pace: Pace
    grade: int
    present: int | None
    change: bool
    why: str


def paces(work: Iterable[Work]) -> list[Pace]:
    """Everybody's pace at each task, as far as they have done enough of it."""
    mine: dict[tuple[str, str], list[Work]] = defaultdict(list)
    for one in work:
        if one.orders > 0 and one.service > 0 and one.expected > 0:
            mine[one.task, one.employee].append(one)
    by_task: dict[str, list[Pace]] = defaultdict(list)
    for (task, employee), windows in sorted(mine.items()):
        orders = sum(one.orders for one in windows)
        if orders >= LEAST_ORDERS and len(windows) >= LEAST_WINDOWS:
            seen, variance = _seen(windows)
            sd = math.sqrt(variance)
            by_task[task].append(Pace(employee, task, orders, len(windows), seen, seen, sd, 0.0))
    return [one for people in by_task.values() for one in _shrunk(people)]


def _seen(windows: Sequence[Work]) -> tuple[float, float]:
    """The log pace of quarters of an hour, and its variance as that of a ratio of sums."""
    service = sum(one.service for one in windows)
    expected = sum(one.expected for one in windows)
    ratio = service / expected
    off = sum((one.service - ratio * one.expected) ** 2 for one in windows)
    many = len(windows)
    # A person whose every quarter took just what it should is not thereby known exactly.
    least = (0.05 * service) ** 2 / many
    return -math.log(ratio), max(off * many / (many - 1), least) / service**2


def _shrunk(people: Sequence[Pace]) -> list[Pace]:
    weights = [1 / one.sd**2 for one in people]
    total = sum(weights)
    fixed = sum(weight * one.seen for weight, one in zip(weights, people, strict=True)) / total
    spread = sum(
        weight * (one.seen - fixed) ** 2 for weight, one in zip(weights, people, strict=True)
    )
    room = total - sum(weight**2 for weight in weights) / total
    between = max(0.0, (spread - (len(people) - 1)) / room) if room > 0 else 0.0
    both = [1 / (one.sd**2 + between) for one in people]
    mean = sum(w * one.seen for w, one in zip(both, people, strict=True)) / sum(both)
    found = []
    for one in people:
        keep = between / (between + one.sd**2)
        found.append(
            one._replace(
                pace=mean + keep * (one.seen - mean),
                sd=math.sqrt(keep) * one.sd,
                mean=mean,
            )
        )
    return found


def proposals(
    found: Iterable[Pace], present: Mapping[tuple[str, str], int], scale: Scale = USUAL
) -> list[Proposed]:
    """The grade each pace suggests; `present` has those of roster files by person and task."""
    told = []
    for one in found:
        now = present.get((one.employee, one.task))
        grade = scale.grade(one.pace - one.mean)
        if now is None:
            told.append(Proposed(one, grade, None, False, "no roster file has a grade to compare"))
            continue
        low, high = scale.edges(now)
        off = one.pace - one.mean
        outside = 1.0 - (_below(high, off, one.sd) - _below(low, off, one.sd))
        change = grade != now and outside >= SURE
        sure = f"{min(outside, 0.99):.0%} sure that it is not grade {now}"
        if change:
            why = f"{sure}: {math.exp(one.pace):.2f} of the expected pace in {one.orders:,} orders"
        elif grade != now:
            why = f"only {sure}, {SURE:.0%} are asked for: it stays"
        else:
            why = "as it is"
        told.append(Proposed(one, grade if change else now, now, change, why))
    return told


def _below(edge: float, mean: float, sd: float) -> float:
    """P(pace < edge)."""
    if sd <= 0 or math.isinf(edge):
        return float(edge > mean)
    return 0.5 * (1 + math.erf((edge - mean) / (sd * math.sqrt(2))))
