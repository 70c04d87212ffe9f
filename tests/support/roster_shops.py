"""Tiny roster problems for tests: some hours, few people, every rule possible."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import Any

from hypothesis import strategies as st

from operators.roster.evaluate import evaluate
from operators.roster.prepare import prepare
from operators.roster.problem import Problem, Shape
from operators.roster.roster import Roster, Shift
from schemas.roster import Employee, FixedDuty, LastWeeks, RosterFile, Shifts, Task, TaskNeed, Wish
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
    OpeningDuties,
    Pay,
    Qualification,
    Rest,
    Rules,
    SkilledAtPeak,
    Waiting,
    WeeklyHours,
    Wishes,
)

FRIDAY = date(2026, 12, 4)

RULES: dict[str, Any] = {
    "availability": Availability(),
    "qualification": Qualification(),
    "rest": Rest(16),
    "daily_hours": DailyHours(5),
    "weekly_hours": WeeklyHours(10),
    "days_in_a_row": DaysInARow(1),
    "days_off": DaysOff(1),
    "opening_duties": OpeningDuties(),
    "least_heads": LeastHeads({"till": 1}),
    "skilled_at_peak": SkilledAtPeak(1, 3, 2),
    "mentor_beside_trainee": MentorBesideTrainee(1),
    "fixed_assignments": FixedAssignments(),
    "waiting": Waiting(),
    "pay": Pay(overtime_after=4),
    "wishes": Wishes(),
    "fair_evenings": FairEvenings("14:00", 500, "worth_pay"),
    "fair_weekends": FairWeekends(),
    "fair_hours": FairHours(1, 400),
    "grades": Grades(2, 2, 100),
}


@st.composite
def small_files(draw: st.DrawFn, days: int = 2) -> RosterFile:
    """Two or three people on some days of some hours."""
    people = []
    for at in range(draw(st.integers(2, 3))):
        skills = draw(st.sampled_from([{"till": 3}, {"till": 1}, {"till": 2, "shelf": 1}]))
        trainee = at == 2 and draw(st.booleans())
        available: dict[Any, tuple[str, ...]] | None = None
        if draw(st.booleans()):
            available = {"fri": ("10:00-16:00",), "sat": ("08:00-13:00",)}
        wishes = (Wish(FRIDAY, off=True, weight=2),) if draw(st.booleans()) else ()
        people.append(
            Employee(
                name=f"p{at}",
                skills=skills,
                pay=draw(st.sampled_from([2_000, 2_600])),
                most_hours=draw(st.sampled_from([5, 9])),
                mentor=at == 0,
                trainee=trainee,
                available=available,
                wishes=wishes,
                last_weeks=LastWeeks(evenings=draw(st.integers(0, 2))),
            )
        )
    heads = st.lists(st.integers(0, 3), min_size=24, max_size=24)
    needs = [
        TaskNeed("till", FRIDAY + timedelta(days=day), "10:00", heads=tuple(draw(heads)))
        for day in range(days)
    ]
    return RosterFile(
        shop="tiny",
        first_day=FRIDAY,
        days=days,
        employees=tuple(people),
        tasks={"till": Task(short_cost=draw(st.sampled_from([6_000, 12_000]))), "shelf": Task()},
        need=tuple(needs),
        opens="11:00",
        closes="12:00",
        shifts=Shifts(
            earliest="10:00",
            latest="16:00",
            starts_every=120,
            shortest_hours=2,
            longest_hours=4,
            lengths_every=120,
            pause=None,
        ),
        duties=(FixedDuty("unload", "shelf", 30, "10:00", "12:00", on=("sat",)),)
        if draw(st.booleans())
        else (),
        rules=draw(rule_sets()),
    )


@st.composite
def rule_sets(draw: st.DrawFn) -> Rules:
    """Any rules on, the others off; what is short always costs."""
    chosen = draw(st.sets(st.sampled_from(sorted(RULES))))
    return Rules(**{name: RULES[name] for name in chosen | {"waiting"}})


def cheapest(problem: Problem) -> int | None:
    """The least cost of a legal roster, by trying all; for problems whose one task is `till`.

    Everybody does `till` wherever they are: only right where nothing else is to be done.
    """
    cells = list(product(range(len(problem.people)), range(len(problem.days))))
    options: list[list[Shape | None]] = [[None, *problem.shapes] for _ in cells]
    best: int | None = None
    for picked in product(*options):
        shifts = tuple(
            Shift(person, day, shape.start, shape.end, None, ("till",) * (shape.end - shape.start))
            for (person, day), shape in zip(cells, picked, strict=True)
            if shape is not None
        )
        judged = evaluate(problem, Roster(shifts))
        if not judged.violations and (best is None or judged.total < best):
            best = judged.total
    return best


def small_problem(file: RosterFile) -> Problem:
    """Its problem."""
    return prepare(file)


def without(problem: Problem, *rules: str) -> Problem:
    """The same with some rules switched off."""
    return replace(problem, rules=problem.rules.without(*rules))


@st.composite
def some_rosters(draw: st.DrawFn, problem: Problem) -> Roster:
    """Any shifts of the shop's shapes, tasks of the people's skills: legal or not."""
    shifts = []
    for person, who in enumerate(problem.people):
        for day in range(len(problem.days)):
            shape = draw(st.sampled_from([None, None, *problem.shapes_of(person, day)]))
            if shape is None:
                continue
            pause = draw(st.integers(shape.first, shape.last)) if shape.pause else None
            task = draw(st.sampled_from([None, *who.skills]))
            tasks: list[str | None] = [task] * (shape.end - shape.start)
            if pause is not None:
                for slot in range(pause, pause + shape.pause):
                    tasks[slot - shape.start] = None
            shifts.append(Shift(person, day, shape.start, shape.end, pause, tuple(tasks)))
    duties = tuple(duty.earliest for duty in problem.duties)
    return Roster(tuple(shifts), duties)
