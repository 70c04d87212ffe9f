"""How many heads a manager thinks half a day needs: by a rule of thumb, or by queueing theory.

Both look at the averages of what usually comes, one half of the day at a time. **By thumb** is a
productivity standard: orders an hour by what one person gets done in an hour, rounded up, plus one;
one number for Mondays to Fridays, one for Saturdays and Sundays. **By rushes** is the same standard
for the busiest four hours of each half and for the other two by themselves. **By goal** has the
search's own queueing formula and a number for each day of the week.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from operators.roster.need.erlang import Queue
from operators.roster.need.heads import Goal, heads_in_balance
from operators.roster.problem import SLOT_S, SLOTS_AN_HOUR

Usual = Mapping[tuple[str, int], Sequence[float]]
# Heads by day and half of it (late: True).
Heads = dict[tuple[int, bool], int]
# Heads more than those, by day and hours since opening from and to.
Rushes = dict[tuple[int, int, int], int]
Services = Mapping[str, tuple[float, float, Goal]]

# Nobody is alone in the shop: one has to be able to go to the store room.
HABIT = 2
# Of an hour so much is work at orders; the rest is for walking, wiping, a drink of water: the
# allowance of work study.
AT_WORK = 0.85
WEEKEND = (5, 6)
# Hours of a shift for a rush: the shortest there is.
RUSH_HOURS = 4


def by_thumb(orders_an_hour: float, one_person: float) -> int:
    """Heads for so many orders an hour where one person gets so many done: rounded up, plus one."""
    return max(HABIT, math.ceil(orders_an_hour / one_person) + 1)


def productivity(usual: Usual, services: Services) -> float:
    """Orders that one person gets done in an hour: by the watch, less the allowance."""
    orders = sum(sum(counts) for counts in usual.values())
    work_s = sum(sum(counts) * services[task][0] for (task, _), counts in usual.items())
    return AT_WORK * 3_600 * orders / work_s


def heads_by_thumb(usual: Usual, services: Services, weekdays: Sequence[int]) -> Heads:
    """The rule of thumb; `weekdays` has the day of the week of each day."""
    one_person = productivity(usual, services)
    found: Heads = {}
    for weekend in (False, True):
        alike = [day for day, on in enumerate(weekdays) if (on in WEEKEND) == weekend]
        for late in (False, True):
            if alike:
                heads = by_thumb(_orders_an_hour(usual, alike, late), one_person)
                found |= {(day, late): heads for day in alike}
    return found


def heads_by_rushes(
    usual: Usual, services: Services, weekdays: Sequence[int]
) -> tuple[Heads, Rushes]:
    """The rule of thumb for the quiet hours of each half, and who comes for its rush besides."""
    one_person = productivity(usual, services)
    heads: Heads = {}
    rushes: Rushes = {}
    for weekend in (False, True):
        alike = [day for day, on in enumerate(weekdays) if (on in WEEKEND) == weekend]
        for late in (False, True):
            if not alike:
                continue
            hours = _hours(usual, alike, late)
            many = len(hours)
            first = max(
                range(many - RUSH_HOURS + 1), key=lambda at: sum(hours[at : at + RUSH_HOURS])
            )
            rush = sum(hours[first : first + RUSH_HOURS])
            quiet = by_thumb((sum(hours) - rush) / (many - RUSH_HOURS), one_person)
            more = by_thumb(rush / RUSH_HOURS, one_person) - quiet
            begin = first + late * many
            heads |= {(day, late): quiet for day in alike}
            if more > 0:
                rushes |= {(day, begin, begin + RUSH_HOURS): more for day in alike}
    return heads, rushes


def _hours(usual: Usual, days: Collection[int], late: bool) -> list[float]:
    """Orders in each hour of half a day, on average."""
    counts = [_half(of_day, late) for (_, day), of_day in usual.items() if day in days]
    quarters = [sum(one) / len(days) for one in zip(*counts, strict=True)]
    return [sum(quarters[at : at + SLOTS_AN_HOUR]) for at in range(0, len(quarters), SLOTS_AN_HOUR)]


def _orders_an_hour(usual: Usual, days: Collection[int], late: bool) -> float:
    counts = [_half(of_day, late) for (_, day), of_day in usual.items() if day in days]
    hours = len(counts[0]) / SLOTS_AN_HOUR * len(days)
    return sum(map(sum, counts)) / hours


def heads_by_goal(usual: Usual, services: Services, weekdays: Sequence[int]) -> Heads:
    """Those that keep the goal at the half day's mean rate, never fewer than two."""
    return {
        (day, late): max(
            HABIT,
            sum(
                _in_balance(_half(usual[task, day], late), *service)
                for task, service in services.items()
            ),
        )
        for day in range(len(weekdays))
        for late in (False, True)
    }


def _in_balance(counts: Sequence[float], service_s: float, patience_s: float, goal: Goal) -> int:
    rate = sum(counts) / len(counts) / SLOT_S
    return heads_in_balance(Queue(rate, 1 / service_s, 1 / patience_s), goal)


def _half(counts: Sequence[float], late: bool) -> Sequence[float]:
    middle = len(counts) // 2
    return counts[middle:] if late else counts[:middle]
