"""Rules about people together as a loose model has them: by shifts, breaks left out.

Who is in a break counts as at work here, so there are no numbers of breaks apart by grade or
mentor, which take half of the time of the linear relaxation and hardly change its bound.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from operators.roster.model.builder import Builder, Linear
from operators.roster.problem import SLOTS


def add_skilled_at_peak(build: Builder) -> None:
    """Enough people of the grade on duty in every slot that needs many heads."""
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
            for span, (there,) in _on_duty(build, day, skilled):
                slots = range(day * SLOTS + span.start, day * SLOTS + span.stop)
                if any(problem.heads_needed(slot, shop) >= rule.peak_heads for slot in slots):
                    build.model.add(there >= rule.people)


def add_mentor_beside_trainee(build: Builder) -> None:
    """No more trainees on duty than the mentors on duty may have, but for a slack.

    A trainee in a break needs no mentor: only without the slack do these rows forbid too much.
    """
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
            slack = build.count(len(trainees), f"without a mentor {shop} {day}")
            build.slacks.append(slack)
            for _, (learning, teaching) in _on_duty(build, day, trainees, mentors):
                build.model.add(learning <= rule.trainees_per_mentor * teaching + slack)


def _on_duty(
    build: Builder, day: int, *crews: Iterable[int]
) -> Iterator[tuple[range, tuple[Linear, ...]]]:
    """How many of each crew are on duty, for the spans of the day in which nobody comes or goes."""
    changes: list[dict[int, list[Linear]]] = []
    for crew in crews:
        changes.append(defaultdict(list))
        for person in crew:
            for shape, chosen in build.choices[person, day]:
                changes[-1][shape.start].append(chosen)
                changes[-1][shape.end].append(-chosen)
    edges = sorted({slot for one in changes for slot in one} | {0, SLOTS})
    there: list[Linear] = [0] * len(changes)
    for begin, end in pairwise(edges):
        for at, one in enumerate(changes):
            if begin in one:
                now = build.count(len(build.people), f"on duty {at} {day} {begin}")
                build.model.add(now == there[at] + sum(one[begin]))
                there[at] = now
        yield range(begin, end), tuple(there)


ADD: dict[str, Callable[[Builder], None]] = {
    "skilled_at_peak": add_skilled_at_peak,
    "mentor_beside_trainee": add_mentor_beside_trainee,
}
