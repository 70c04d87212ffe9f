"""Judges rosters of classical instances: reads the instance only, knows nothing of any model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from bench.roster.classical_read import Classical

# The shift of each day, None for a day off, by person.
Days = dict[str, list[str | None]]


class Verdict(NamedTuple):
    """Hard rules that are broken, in words, and the cost."""

    broken: list[str]
    cost: int


def judge(instance: Classical, roster: Days) -> Verdict:
    """Every hard rule of every person, and the cost of requests and cover."""
    broken = []
    if set(roster) != set(instance.staff):
        broken.append("the roster has other people than the instance")
    for name in instance.staff:
        days = roster.get(name, [])
        if len(days) != instance.days or not set(days) <= {None, *instance.minutes}:
            broken.append(f"{name}: not {instance.days} days of shifts that there are")
        else:
            broken += [f"{name}: {what}" for what in broken_rules(instance, name, days)]
    return Verdict(broken, _requests(instance, roster) + _cover(instance, roster))


def broken_rules(instance: Classical, name: str, days: list[str | None]) -> Iterator[str]:
    """The rules about one person that these days break, in words."""
    rules = instance.staff[name]
    worked = [shift for shift in days if shift is not None]
    minutes = sum(instance.minutes[shift] for shift in worked)
    if not rules.least_minutes <= minutes <= rules.most_minutes:
        yield f"{minutes} minutes, not {rules.least_minutes} to {rules.most_minutes}"
    for shift, count in Counter(worked).items():
        if count > rules.most_of.get(shift, 0):
            yield f"{count} times {shift}"
    for day in range(1, len(days)):
        first, then = days[day - 1], days[day]
        if first is not None and then in instance.cannot_follow[first]:
            yield f"{then} on day {day} after {first}"
    for day in instance.days_off.get(name, frozenset()):
        if days[day] is not None:
            yield f"works on day {day}, which is to be free"
    at = 0
    for works, run in groupby(days, key=lambda shift: shift is not None):
        length = len(list(run))
        touches = at == 0 or at + length == len(days)
        if works and length > rules.longest_run:
            yield f"works {length} days in a row from day {at}"
        if works and length < rules.shortest_run and not touches:
            yield f"works only {length} days in a row from day {at}"
        if not works and length < rules.shortest_rest and not touches:
            yield f"is off only {length} days in a row from day {at}"
        at += length
    weekends = sum(
        any(shift is not None for shift in days[saturday : saturday + 2])
        for saturday in range(5, len(days), 7)
    )
    if weekends > rules.most_weekends:
        yield f"works on {weekends} weekends"


def _requests(instance: Classical, roster: Days) -> int:
    cost = 0
    for (name, day, shift), weight in instance.on.items():
        cost += weight * (roster[name][day] != shift)
    for (name, day, shift), weight in instance.off.items():
        cost += weight * (roster[name][day] == shift)
    return cost


def _cover(instance: Classical, roster: Days) -> int:
    cost = 0
    for (day, shift), (needed, under, over) in instance.cover.items():
        heads = sum(days[day] == shift for days in roster.values())
        cost += under * max(0, needed - heads) + over * max(0, heads - needed)
    return cost
