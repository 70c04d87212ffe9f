"""Simulated shop-weeks: the truth, what a forecast says of it, and what is usual on each weekday.

The true intensity of a day is that of its weekday, times the day's own luck. The forecast is the
truth times its error, of the size `docs/forecast.md` measured for days (about 8%) and some for
quarters. Whoever plans by hand knows the usual week. Nobody who plans sees the truth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from operators.roster.compare.draws import Draws
from operators.roster.problem import SLOTS_AN_HOUR
from schemas.roster import (
    WEEKDAYS,
    Employee,
    LastWeeks,
    RosterFile,
    Shifts,
    Task,
    TaskNeed,
    Weekday,
    Wish,
)
from schemas.roster_rules import (
    Availability,
    DailyHours,
    DaysInARow,
    DaysOff,
    FairEvenings,
    FairWeekends,
    LeastHeads,
    Pay,
    Qualification,
    Rest,
    Rules,
    Waiting,
    WeeklyHours,
    Wishes,
)

FIRST_DAY = date(2026, 11, 30)
OPENS, CLOSES = 9, 21
OPEN_SLOTS = (CLOSES - OPENS) * SLOTS_AN_HOUR
# Of each task: share of the work, seconds of a service, its coefficient of variation (1 is
# exponential), seconds of patience, and what a customer served pays in minor units.
TASKS = {
    "till": (0.5, 90.0, 0.7, 600.0, 1_100),
    "making": (0.5, 180.0, 1.0, 900.0, 2_200),
}
# What is lost with a customer who gives up is the margin of the sale.
MARGIN = 0.6
# An hour of one customer's waiting, in minor units: 2 yuan a minute.
WAITING_COST = 12_000
# The staff's hours are so many times the hours that serving takes.
HOURS_TO_LOAD = 3.5
# The mean of the day's shape.
MEAN_PROFILE = 0.98
DAY_LUCK, DAY_ERROR, QUARTER_ERROR = 0.12, 0.08, 0.05

Counts = dict[tuple[str, int], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class ShopWeek:
    """A shop's week; `file` has the forecast as its need.

    `truth` and `usual` are the customers expected by task and day, quarter by quarter from opening.
    """

    file: RosterFile
    truth: Counts
    usual: Counts


def shop_week(
    draws: Draws,
    people: int,
    days: int = 7,
    *,
    waiting_cost: int = WAITING_COST,
    busy: float = 1.0,
) -> ShopWeek:
    """A shop with so many people, and its week.

    `waiting_cost` is what an hour of one customer's waiting is worth to it; `busy` times as many
    customers as usual come to so many people.
    """
    employees = tuple(_employee(draws, at, people, days) for at in range(people))
    hours = sum((one.least_hours + one.most_hours) / 2 for one in employees)
    load = hours / 7 / (CLOSES - OPENS) / HOURS_TO_LOAD * busy
    usual: Counts = {}
    truth: Counts = {}
    needs = []
    for day in range(days):
        on = FIRST_DAY + timedelta(days=day)
        weekday = 1.25 if on.weekday() >= 5 else 0.9
        luck, error = _factor(draws, DAY_LUCK), _factor(draws, DAY_ERROR)
        for task, (share, service_s, *_) in TASKS.items():
            mean = load * weekday * share * 900 / service_s
            usual[task, day] = tuple(
                mean * (profile(quarter) / MEAN_PROFILE) for quarter in range(OPEN_SLOTS)
            )
            truth[task, day] = tuple(luck * count for count in usual[task, day])
            forecast = tuple(
                round(count * error * _factor(draws, QUARTER_ERROR), 3)
                for count in truth[task, day]
            )
            needs.append(TaskNeed(task, on, f"{OPENS:02}:00", arrivals=forecast))
    file = RosterFile(
        shop=f"shop of {people}",
        first_day=FIRST_DAY,
        days=days,
        employees=employees,
        tasks={
            task: Task(
                service_s=service_s,
                patience_s=patience_s,
                waiting_cost=waiting_cost,
                lost_cost=round(MARGIN * sale),
            )
            for task, (_, service_s, _, patience_s, sale) in TASKS.items()
        },
        need=tuple(needs),
        rules=_rules(),
        opens=f"{OPENS:02}:00",
        closes=f"{CLOSES:02}:00",
        shifts=Shifts(earliest=f"{OPENS:02}:00", latest=f"{CLOSES:02}:00", starts_every=30),
    )
    return ShopWeek(file, truth, usual)


def _rules() -> Rules:
    return Rules(
        availability=Availability(),
        qualification=Qualification(),
        rest=Rest(11),
        daily_hours=DailyHours(9),
        weekly_hours=WeeklyHours(44),
        days_in_a_row=DaysInARow(6),
        days_off=DaysOff(1),
        least_heads=LeastHeads({"till": 1}),
        waiting=Waiting(),
        pay=Pay(),
        wishes=Wishes(),
        fair_evenings=FairEvenings(),
        fair_weekends=FairWeekends(),
    )


def _factor(draws: Draws, spread: float) -> float:
    """A factor of mean 1."""
    return draws.lognormvariate(-(spread**2) / 2, spread)


def profile(quarter: int) -> float:
    """The shape of the day: noon and early evening."""
    hour = OPENS + quarter / SLOTS_AN_HOUR
    return (
        0.55 + 0.9 * math.exp(-(((hour - 12.5) / 1.3) ** 2)) + math.exp(-(((hour - 18) / 1.6) ** 2))
    )


def part_of_the_week(draws: Draws) -> dict[Weekday, tuple[str, ...]]:
    """When students and parents can work: five days, and often only a part of each."""
    off = draws.sample(WEEKDAYS, 2)
    span = draws.choice(("08:00-22:00", "08:00-16:00", "13:00-22:00"))
    return {day: (span,) for day in WEEKDAYS if day not in off}


def pay_of(draws: Draws, skills: Mapping[str, int]) -> int:
    """An hour's pay, by the best grade."""
    return 2_200 + 250 * max(skills.values()) + draws.randrange(5) * 20


def _employee(draws: Draws, at: int, people: int, days: int) -> Employee:
    """Two thirds full time, the others students and parents with days and times of their own."""
    full = at < round(people * 2 / 3)
    skills = {"till": draws.randint(1, 4)}
    if full or draws.randrange(2):
        skills["making"] = draws.randint(1, 4)
    available: dict[Weekday, tuple[str, ...]] | None = None
    if not full:
        available = part_of_the_week(draws)
    wishes = tuple(
        Wish(
            FIRST_DAY + timedelta(days=day),
            off=off,
            within=None if off else draws.choice(("08:00-16:00", "12:00-22:00")),
            weight=draws.randint(1, 4),
        )
        for day in draws.sample(range(days), min(days, draws.randrange(3)))
        for off in (draws.randrange(10) < 6,)
    )
    return Employee(
        name=f"e{at + 1:02}",
        skills=skills,
        pay=pay_of(draws, skills),
        least_hours=(24 if full else 8) * days // 7,
        most_hours=40 if full else 24,
        available=available,
        wishes=wishes,
        last_weeks=LastWeeks(evenings=draws.randrange(4), weekend_days=draws.randrange(3)),
    )
