"""Classical instances as our daily rosters, and our answers in the words of the instance."""

from __future__ import annotations

from collections.abc import Iterable

from bench.roster.classical_judge import Days
from bench.roster.classical_read import Classical
from operators.roster.daily.problem import DailyProblem, Kind, Member, Wanted
from operators.roster.patterns.cover import Pattern


def daily_problem(instance: Classical) -> DailyProblem:
    """The instance as our problem."""
    place = {name: at for at, name in enumerate(instance.minutes)}
    kinds = tuple(
        Kind(name, minutes, frozenset(place[other] for other in instance.cannot_follow[name]))
        for name, minutes in instance.minutes.items()
    )
    return DailyProblem(
        instance.days,
        kinds,
        tuple(_member(instance, name, place) for name in instance.staff),
        tuple(
            Wanted(day, place[shift], heads, under, over)
            for (day, shift), (heads, under, over) in instance.cover.items()
        ),
    )


def _member(instance: Classical, name: str, place: dict[str, int]) -> Member:
    rules, base = instance.staff[name], 0
    costs: dict[tuple[int, int], int] = {}
    for (who, day, shift), weight in instance.on.items():
        if who == name:
            base += weight
            costs[day, place[shift]] = costs.get((day, place[shift]), 0) - weight
    for (who, day, shift), weight in instance.off.items():
        if who == name:
            costs[day, place[shift]] = costs.get((day, place[shift]), 0) + weight
    return Member(
        name,
        tuple(rules.most_of.get(shift, 0) for shift in place),
        rules.least_minutes,
        rules.most_minutes,
        rules.longest_run,
        rules.shortest_run,
        rules.shortest_rest,
        rules.most_weekends,
        instance.days_off.get(name, frozenset()),
        base,
        costs,
    )


def days_of(instance: Classical, patterns: Iterable[Pattern]) -> Days:
    """The shifts of each person by day."""
    names, shifts = list(instance.staff), list(instance.minutes)
    return {
        names[pattern.person]: [None if kind < 0 else shifts[kind] for kind in pattern.detail]
        for pattern in patterns
    }
