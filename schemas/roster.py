"""What a roster is made from: a shop's week, its people, what is needed, and the rules.

Times are the shop's own wall clock: a day has 96 quarters, also when the clocks change (a shift
over the change is an hour longer or shorter in truth). Money is minor units (fen, cents).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from schemas.forecast_rules import Measure
from schemas.roster_rules import Cost, Count, Grade, Hours, Rules, TimeOfDay

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Span = Annotated[str, msgspec.Meta(pattern=r"^\d\d:\d\d-\d\d:\d\d$")]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=1_440, multiple_of=15)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class ServiceGoal(_Part, frozen=True):
    """What customers are promised: a share served within a time, a mean wait, free hands."""

    share: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None
    within_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    mean_wait_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    occupancy: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None


class Task(_Part, frozen=True):
    """Something people do. With `service_s` customers queue for it, and heads follow from `goal`.

    `waiting_cost`: what an hour of one customer's waiting is worth; `lost_cost`: what one who gives
    up after `patience_s` (on average) costs. `short_cost`: an hour of one head too few, where heads
    are given as they are. `measure` and `share` say what of a store's forecast comes to this task,
    for the roster flow; a need that is written in the file knows its arrivals.
    """

    service_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    patience_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    goal: ServiceGoal = ServiceGoal(share=0.9, within_s=180.0)
    waiting_cost: Cost = 6_000
    lost_cost: Cost = 0
    short_cost: Cost = 10_000
    measure: Measure = "orders"
    share: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.0


class Shop(_Part, frozen=True):
    """One of several shops that share people; its own opening hours, the file's tasks and rules."""

    name: Name
    opens: TimeOfDay = "09:00"
    closes: TimeOfDay = "21:00"


class Way(_Part, frozen=True):
    """How long it takes from one shop to another, either way."""

    between: tuple[Name, Name]
    minutes: Minutes


class TaskNeed(_Part, frozen=True):
    """A task on a day from a time on, quarter by quarter: customers expected, or heads.

    `shop`: which, where the file has several; so for duties and planned shifts.
    """

    task: Name
    date: date
    start: TimeOfDay
    arrivals: tuple[Annotated[float, msgspec.Meta(ge=0)], ...] = ()
    heads: tuple[Count, ...] = ()
    shop: Name | None = None


class FixedDuty(_Part, frozen=True):
    """Work without customers: begun at `start` or later and done by `end`, on some weekdays."""

    name: Name
    task: Name
    minutes: Annotated[int, msgspec.Meta(ge=15, le=1_440, multiple_of=15)]
    start: TimeOfDay
    end: TimeOfDay
    heads: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    on: tuple[Weekday, ...] = WEEKDAYS
    shop: Name | None = None


class Break(_Part, frozen=True):
    """Shifts longer than `after_hours` have one, begun `around_middle` of the shift or nearer."""

    after_hours: Hours = 6
    minutes: Annotated[int, msgspec.Meta(ge=15, le=240, multiple_of=15)] = 30
    around_middle: Minutes = 60


class Shifts(_Part, frozen=True):
    """The shapes a shift may have; starts and lengths on a grid of minutes."""

    earliest: TimeOfDay = "08:00"
    latest: TimeOfDay = "22:00"
    starts_every: Annotated[int, msgspec.Meta(ge=15, le=720, multiple_of=15)] = 30
    shortest_hours: Hours = 4
    longest_hours: Hours = 9
    lengths_every: Annotated[int, msgspec.Meta(ge=15, le=720, multiple_of=15)] = 60
    pause: Break | None = Break()


class Wish(_Part, frozen=True):
    """What somebody would like on a day: off, or to work within a span ("09:00-15:00")."""

    date: date
    off: bool = False
    within: Span | None = None
    weight: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1


class LastWeeks(_Part, frozen=True):
    """What happened before the first day: fairness, rest and runs of days count on from it.

    `hours_over`: hours worked above the contract; `ended`: when yesterday's shift ended.
    """

    evenings: Count = 0
    weekend_days: Count = 0
    hours_over: Annotated[float, msgspec.Meta(ge=-1_000, le=1_000)] = 0.0
    days_in_a_row: Count = 0
    ended: TimeOfDay | None = None


class Employee(_Part, frozen=True):
    """A person, by pseudonym. `skills`: task to grade; `pay`: an hour; hours: a week's contract.

    `available`: spans by weekday, none on one that is not named; without it the person can always
    work. `away`: dates. `shops`: those the person works in, where the file has several.
    """

    name: Name
    skills: dict[str, Grade]
    pay: Cost = 2_500
    least_hours: Hours = 0
    most_hours: Hours = 40
    mentor: bool = False
    trainee: bool = False
    minor: bool = False
    available: dict[Weekday, tuple[Span, ...]] | None = None
    away: tuple[date, ...] = ()
    wishes: tuple[Wish, ...] = ()
    last_weeks: LastWeeks = LastWeeks()
    shops: tuple[Name, ...] = ()


class PlannedShift(_Part, frozen=True):
    """A shift that is there already: published, or fixed."""

    employee: Name
    date: date
    start: TimeOfDay
    end: TimeOfDay
    shop: Name | None = None


class RosterFile(_Part, frozen=True):
    """Everything a roster is made from: of one shop, or of several `shops` that share people.

    Several have opening hours of their own. Nobody works in two of them on one day unless `travel`
    says how long the way between them takes.
    """

    shop: Name
    first_day: date
    employees: tuple[Employee, ...]
    tasks: dict[str, Task]
    need: tuple[TaskNeed, ...]
    rules: Rules = Rules()
    days: Annotated[int, msgspec.Meta(ge=1, le=28)] = 7
    opens: TimeOfDay = "09:00"
    closes: TimeOfDay = "21:00"
    shifts: Shifts = Shifts()
    duties: tuple[FixedDuty, ...] = ()
    published: tuple[PlannedShift, ...] = ()
    fixed: tuple[PlannedShift, ...] = ()
    shops: tuple[Shop, ...] = ()
    travel: tuple[Way, ...] = ()
