"""Shops to measure with: customers by a known intensity, people with contracts of all kinds.

Everything follows from the number of people and a seed.
"""

from __future__ import annotations

import random
from datetime import timedelta

from operators.roster.compare.scenario import AMPLE, CLOSES, OPENS
from operators.roster.compare.shop import FIRST_DAY, part_of_the_week, pay_of
from schemas.roster import (
    Employee,
    FixedDuty,
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
    FairHours,
    FairWeekends,
    FixedAssignments,
    Grades,
    LeastHeads,
    MentorBesideTrainee,
    Minors,
    OpeningDuties,
    Pay,
    Qualification,
    Rest,
    Rules,
    SkilledAtPeak,
    Steadiness,
    Waiting,
    WeeklyHours,
    Wishes,
)


def all_rules() -> Rules:
    """Every rule there is, with figures of a usual shop."""
    return Rules(
        availability=Availability(),
        qualification=Qualification(),
        rest=Rest(11),
        daily_hours=DailyHours(9),
        weekly_hours=WeeklyHours(44),
        days_in_a_row=DaysInARow(5),
        days_off=DaysOff(1),
        minors=Minors(),
        opening_duties=OpeningDuties(),
        least_heads=LeastHeads({"till": 1}),
        skilled_at_peak=SkilledAtPeak(2, 3, 5),
        mentor_beside_trainee=MentorBesideTrainee(1),
        fixed_assignments=FixedAssignments(),
        waiting=Waiting(),
        pay=Pay(),
        wishes=Wishes(),
        fair_evenings=FairEvenings(),
        fair_weekends=FairWeekends(),
        fair_hours=FairHours(),
        steadiness=Steadiness(),
        grades=Grades(),
    )


def shop(people: int, seed: int = 1, *, days: int = 7, starts_every: int = 30) -> RosterFile:
    """A shop whose customers keep so many people busy."""
    rng = random.Random(f"{people} {seed}")
    employees = tuple(_employee(rng, at, days) for at in range(people))
    hours = sum((one.least_hours + one.most_hours) / 2 for one in employees)
    needs = []
    for at in range(days):
        day = FIRST_DAY + timedelta(days=at)
        busy = (1.35 if day.weekday() >= 5 else 0.9) * rng.uniform(0.9, 1.1)
        # Heads for the queue are some 1.5 times the load, and a third are on other tasks.
        mean = hours / 7 / (CLOSES - OPENS) * busy / 2.6
        for task, share, service_s in (("till", 0.6, 75), ("making", 0.4, 150)):
            arrivals = tuple(
                round(
                    mean * share * AMPLE.shape(quarter) * 900 / service_s * rng.uniform(0.85, 1.15),
                    2,
                )
                for quarter in range((CLOSES - OPENS) * 4)
            )
            needs.append(TaskNeed(task, day, f"{OPENS:02}:00", arrivals=arrivals))
    crew = max(1, people // 10)
    return RosterFile(
        shop=f"shop-{people}-{seed}",
        first_day=FIRST_DAY,
        days=days,
        employees=employees,
        tasks={
            "till": Task(service_s=75, patience_s=600, lost_cost=800),
            "making": Task(service_s=150, patience_s=900, lost_cost=1_000),
            "floor": Task(),
        },
        need=tuple(needs),
        rules=all_rules(),
        opens=f"{OPENS:02}:00",
        closes=f"{CLOSES:02}:00",
        shifts=Shifts(earliest="08:30", latest="21:30", starts_every=starts_every),
        duties=(
            FixedDuty("opening", "till", 30, "08:30", "09:00", crew),
            FixedDuty("cleaning", "floor", 60, "10:00", "17:00", crew),
            FixedDuty("closing", "floor", 30, "21:00", "21:30", crew),
            FixedDuty("delivery", "floor", 45, "09:00", "12:00", crew, on=("tue", "fri")),
        ),
    )


def _employee(rng: random.Random, at: int, days: int) -> Employee:
    full = rng.random() < 0.55
    skills = {"till": rng.randint(1, 4)}
    if rng.random() < 0.7 or at < 3:
        skills["making"] = rng.randint(1, 4)
    if rng.random() < 0.8 or at < 3:
        skills["floor"] = rng.randint(1, 3)
    trainee = at >= 3 and rng.random() < 0.1
    if trainee:
        skills = {"till": 1, "floor": 1}
    if at % 5 == 0:
        skills = {"till": 4, "making": 4, "floor": 3}
    available: dict[Weekday, tuple[str, ...]] | None = None
    if not full and rng.random() < 0.6:
        available = part_of_the_week(rng)
    wishes = tuple(
        Wish(
            FIRST_DAY + timedelta(days=rng.randrange(days)),
            off=rng.random() < 0.6,
            within=rng.choice(("08:00-16:00", "13:00-22:00")),
            weight=rng.randint(1, 4),
        )
        for _ in range(rng.randrange(3))
    )
    return Employee(
        name=f"e{at + 1:03}",
        skills=skills,
        pay=pay_of(rng, skills),
        least_hours=32 if full else 8,
        most_hours=40 if full else 24,
        mentor=not trainee and max(skills.values()) >= 4,
        trainee=trainee,
        minor=not full and rng.random() < 0.1,
        available=available,
        wishes=wishes,
        last_weeks=LastWeeks(
            evenings=rng.randrange(4),
            weekend_days=rng.randrange(3),
            hours_over=float(rng.randint(-6, 6)),
            days_in_a_row=rng.randrange(3),
        ),
    )
