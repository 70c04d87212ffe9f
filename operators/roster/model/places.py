"""Who works in several shops: never in two places at once, and the way between them takes time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from operators.roster.model.builder import Builder, Choice, Linear
from operators.roster.problem import SLOTS_AN_HOUR
from operators.roster.reasons import Reason


def add_places(build: Builder) -> None:
    """For each pair of shops and day: one after the other with the way between, or only one."""
    problem = build.problem
    for group in build.groups:
        for one, other in combinations(group, 2):
            shops = problem.people[one].shop, problem.people[other].shop
            way = problem.travel.get(shops)
            reason = _reason(build, one, other, way)
            for day in build.days:
                if way is None:
                    both = build.work[one, day] + build.work[other, day]
                    build.require(reason, build.model.add(both <= 1))
                    continue
                choices = build.choices[one, day], build.choices[other, day]
                for here, there in _overlaps(*choices, way):
                    build.require(reason, build.model.add(here + there <= 1))
        if len(group) > 1:
            _add_hours(build, group)


def _overlaps(
    mine: list[Choice], others: list[Choice], way: int
) -> Iterator[tuple[Linear, Linear]]:
    """Where one is still at work or on the way, and the other begins: not both at a time.

    Of two shifts that overlap, the way counted to each, one begins within the other.
    """
    for first, second in ((mine, others), (others, mine)):
        for start in sorted({shape.start for shape, _ in second}):
            there = [c for shape, c in first if shape.start <= start < shape.end + way]
            begin = [c for shape, c in second if shape.start == start]
            if there:
                yield sum(there), sum(begin)


def _add_hours(build: Builder, group: list[int]) -> None:
    """The hours of a day, in all shops together."""
    rules, who = build.problem.rules, build.problem.people[group[0]]
    limits = []
    if rules.daily_hours is not None:
        text = f"nobody works longer than {rules.daily_hours.most:g} h a day"
        limits.append((rules.daily_hours.most, Reason("daily_hours", text)))
    if rules.minors is not None and who.minor:
        rule = rules.minors
        text = f"{who.name} is a minor: {rule.earliest}-{rule.latest}, {rule.most_hours:g} h a day"
        limits.append((rule.most_hours, Reason("minors", f"{text} at most", group[0])))
    for day in build.days:
        worked = build.worked(group, [day])
        for most, reason in limits:
            if not isinstance(worked, int):
                build.require(reason, build.model.add(worked <= int(most * SLOTS_AN_HOUR)))


def _reason(build: Builder, one: int, other: int, way: int | None) -> Reason:
    problem = build.problem
    who = problem.people[one]
    between = " and ".join(problem.shops[problem.people[at].shop].name for at in (one, other))
    if way is None:
        text = f"{who.name} cannot get from one to the other of {between} on one day"
    else:
        text = f"{who.name} is in one place at a time, with {way * 15} minutes between {between}"
    return Reason("travel", text, one)
