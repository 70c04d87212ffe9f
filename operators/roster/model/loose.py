"""Rules about people together as a loose model has them: with every break in its middle, or not.

There are no numbers of breaks apart by grade or mentor, which take half of the time of the linear
relaxation and hardly change its bound. Each rule has a slack a day instead. With it the rule says
nothing; without it (for a dive) the rule holds with every break in the middle of its window, which
forbids a little more than the rule does, and never what cannot be had.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from operators.roster.model.builder import Builder, Linear
from operators.roster.problem import SLOTS


def add_skilled_at_peak(build: Builder) -> None:
    """Enough people of the grade at work in every slot that needs many heads, but for a slack."""
    problem = build.problem
    rule = problem.rules.skilled_at_peak
    assert rule is not None
    for shop in range(max(1, len(problem.shops))):
        skilled = [
            at
            for at, who in enumerate(problem.people)
            if who.grade >= rule.grade and who.shop == shop
        ]
        for day in build.days:
            slack = _slack(build, rule.people, f"without a skilled one {shop} {day}")
            peaks = {
                slot
                for slot in range(SLOTS)
                if problem.heads_needed(day * SLOTS + slot, shop) >= rule.peak_heads
            }
            for there, *_ in _at_work(build, day, peaks, skilled):
                build.model.add(there + slack >= rule.people)


def add_mentor_beside_trainee(build: Builder) -> None:
    """No more trainees at work than the mentors at work may have, but for a slack."""
    problem = build.problem
    rule = problem.rules.mentor_beside_trainee
    assert rule is not None
    for shop in range(max(1, len(problem.shops))):
        mine = [(at, who) for at, who in enumerate(problem.people) if who.shop == shop]
        trainees = [at for at, who in mine if who.trainee]
        mentors = [at for at, who in mine if who.mentor and not who.trainee]
        if not trainees:
            continue
        for day in build.days:
            slack = _slack(build, len(trainees), f"without a mentor {shop} {day}")
            for learning, teaching in _at_work(build, day, set(range(SLOTS)), trainees, mentors):
                build.model.add(learning <= rule.trainees_per_mentor * teaching + slack)


def _slack(build: Builder, most: int, name: str) -> Linear:
    slack = build.count(most, name)
    build.slacks.append(slack)
    return slack


def _at_work(
    build: Builder, day: int, wanted: set[int], *crews: Iterable[int]
) -> Iterator[tuple[Linear, ...]]:
    """How many of each crew are at work, whenever somebody came or went before a wanted slot."""
    changes: list[dict[int, list[Linear]]] = []
    for crew in crews:
        change: dict[int, list[Linear]] = defaultdict(list)
        changes.append(change)
        for person in crew:
            for shape, chosen in build.choices[person, day]:
                change[shape.start].append(chosen)
                change[shape.end].append(-chosen)
                if shape.pause:
                    middle = (shape.first + shape.last) // 2
                    # Where others come and go, too: that makes fewer spans.
                    middle = max(shape.first, middle - middle % shape.pause)
                    change[middle].append(-chosen)
                    change[middle + shape.pause].append(chosen)
    edges = sorted({slot for one in changes for slot in one})
    there: list[Linear] = [0] * len(changes)
    since: list[list[Linear]] = [[] for _ in changes]
    for begin, end in pairwise(edges):
        for come, one in zip(since, changes, strict=True):
            come.extend(one.get(begin, ()))
        if wanted.isdisjoint(range(begin, end)):
            continue
        for at, come in enumerate(since):
            if come:
                now = build.count(len(build.people), f"at work {at} {day} {begin}")
                build.model.add(now == there[at] + sum(come))
                there[at], since[at] = now, []
        yield tuple(there)


ADD: dict[str, Callable[[Builder], None]] = {
    "skilled_at_peak": add_skilled_at_peak,
    "mentor_beside_trainee": add_mentor_beside_trainee,
}
