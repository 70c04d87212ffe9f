"""Simulated shop-weeks: the truth, what a forecast says of it, and what is usual on each weekday.

The true intensity of a day is that of its weekday, times the day's own luck. The forecast is the
truth times its error, of the size `docs/forecast.md` measured for days (about 8%) and some for
quarters. Whoever plans by hand knows the usual week. Nobody who plans sees the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from operators.roster.compare.draws import Draws
from operators.roster.compare.scenario import CLOSES, OPEN_SLOTS, OPENS, Scenario
from operators.roster.problem import SLOT_S
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
# What is lost with a customer who gives up is the margin of the sale.
MARGIN = 0.6
DAY_ERROR, QUARTER_ERROR = 0.08, 0.05
# The till's records that a manager looks at.
PAST_WEEKS = 8

Counts = dict[tuple[str, int], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class ShopWeek:
    """A shop's week; `file` has the forecast as its need.

    `truth` and `usual` are the customers expected by task and day, quarter by quarter from opening.
    """

    file: RosterFile
    truth: Counts
    usual: Counts


def shop_week(scenario: Scenario, draws: Draws, people: int, days: int = 7) -> ShopWeek:
    """A shop with so many people, and its week."""
    employees = tuple(_employee(draws, at, people, days) for at in range(people))
    hours = sum((one.least_hours + one.most_hours) / 2 for one in employees)
    load = hours / 7 / (CLOSES - OPENS) / scenario.hours_to_load
    usual: Counts = {}
    truth: Counts = {}
    needs = []
    for day in range(days):
        on = FIRST_DAY + timedelta(days=day)
        luck, error = _factor(draws, scenario.luck), _factor(draws, DAY_ERROR)
        for task, kind in scenario.tasks.items():
            mean = load * scenario.weekdays[on.weekday()] * kind.share * SLOT_S / kind.service_s
            usual[task, day] = tuple(
                mean * scenario.profile(quarter) for quarter in range(OPEN_SLOTS)
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
                service_s=kind.service_s,
                patience_s=kind.patience_s,
                waiting_cost=scenario.waiting_cost,
                lost_cost=round(MARGIN * kind.sale),
            )
            for task, kind in scenario.tasks.items()
        },
        need=tuple(needs),
        rules=_rules(scenario),
        opens=f"{OPENS:02}:00",
        closes=f"{CLOSES:02}:00",
        shifts=Shifts(earliest=f"{OPENS:02}:00", latest=f"{CLOSES:02}:00", starts_every=30),
    )
    return ShopWeek(file, truth, usual)


def past_weeks(scenario: Scenario, draws: Draws, usual: Counts) -> Counts:
    """What came on average in the weeks before, as the till's records have it: whole customers.

    Each day had a luck of its own, as this week's days have.
    """
    seen: dict[tuple[str, int], list[float]] = {
        key: [0.0] * len(counts) for key, counts in usual.items()
    }
    for _ in range(PAST_WEEKS):
        luck = {day: _factor(draws, scenario.luck) for _, day in sorted(usual)}
        for (task, day), counts in usual.items():
            for quarter, count in enumerate(counts):
                seen[task, day][quarter] += _poisson(draws, luck[day] * count) / PAST_WEEKS
    return {key: tuple(counts) for key, counts in seen.items()}


def _poisson(draws: Draws, mean: float) -> int:
    many, at = 0, draws.expovariate(1.0)
    while at < mean:
        many += 1
        at += draws.expovariate(1.0)
    return many


def _rules(scenario: Scenario) -> Rules:
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
        fair_evenings=FairEvenings(shares=scenario.shares),
        fair_weekends=FairWeekends(shares=scenario.shares),
    )


def _factor(draws: Draws, spread: float) -> float:
    """A factor of mean 1."""
    return draws.lognormvariate(-(spread**2) / 2, spread)


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
