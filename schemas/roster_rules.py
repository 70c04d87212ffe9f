"""The rules of a roster, by the names planners use; one that is not there leaves no trace.

Costs are minor money units (fen, cents), whole numbers; times of day are "HH:MM".
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Cost = Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]
Hours = Annotated[float, msgspec.Meta(ge=0, le=168)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
Grade = Annotated[int, msgspec.Meta(ge=0, le=10)]
TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):(00|15|30|45)$|^24:00$")]


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Availability(_Rule, frozen=True):
    """Nobody works outside the hours and days they can."""


class Qualification(_Rule, frozen=True):
    """Nobody does a task they have no skill for."""


class Rest(_Rule, frozen=True):
    """Hours between the end of a shift and the start of the next."""

    hours: Hours = 11


class DailyHours(_Rule, frozen=True):
    """Hours of work in a day, breaks left out."""

    most: Hours = 10


class WeeklyHours(_Rule, frozen=True):
    """Hours of work in a week, breaks left out: each person's own contract, and `most`."""

    most: Hours = 48


class DaysInARow(_Rule, frozen=True):
    """Working days one after the other, with those before the first day."""

    most: Annotated[int, msgspec.Meta(ge=1, le=28)] = 6


class DaysOff(_Rule, frozen=True):
    """Days off in each whole week."""

    least: Annotated[int, msgspec.Meta(ge=0, le=7)] = 1


class Minors(_Rule, frozen=True):
    """Employees marked `minor` have their times of day, hours a day and days a week."""

    earliest: TimeOfDay = "06:00"
    latest: TimeOfDay = "20:00"
    most_hours: Hours = 8
    most_days: Annotated[int, msgspec.Meta(ge=0, le=7)] = 5


class OpeningDuties(_Rule, frozen=True):
    """Every duty is done by as many qualified people as it takes, within its window."""


class LeastHeads(_Rule, frozen=True):
    """So many people at a task as long as the shop is open."""

    heads: dict[str, Count] = {}


class SkilledAtPeak(_Rule, frozen=True):
    """Where `peak_heads` or more are needed, `people` on duty have the grade in some task."""

    people: Count = 2
    grade: Grade = 3
    peak_heads: Count = 4


class MentorBesideTrainee(_Rule, frozen=True):
    """A trainee is on duty only together with a mentor, so many to one mentor."""

    trainees_per_mentor: Annotated[int, msgspec.Meta(ge=1, le=20)] = 1


class FixedAssignments(_Rule, frozen=True):
    """What is listed under `fixed` stays."""


class Waiting(_Rule, frozen=True):
    """Too few heads cost what the waiting they cause is worth."""


class Pay(_Rule, frozen=True):
    """Hours of work cost their pay; beyond `overtime_after` a week, `overtime_factor` of it."""

    overtime_after: Hours = 40
    overtime_factor: Annotated[float, msgspec.Meta(ge=1, le=5)] = 1.5


class Wishes(_Rule, frozen=True):
    """A wish that is not met costs its weight times `cost`."""

    cost: Cost = 1_000


class FairEvenings(_Rule, frozen=True):
    """Shifts that end after `ends_after`, with those of the last weeks, above one's share.

    The n-th above it costs 2n - 1 times `cost`: two for one person are worse than one for two.
    `shares` says what is shared: the heads that the goals need, or of those the ones who are
    `worth_pay`, for where waiting is cheap and fewer are rostered than the goals need.
    """

    ends_after: TimeOfDay = "20:00"
    cost: Cost = 500
    shares: Literal["needed", "worth_pay"] = "needed"


class FairWeekends(_Rule, frozen=True):
    """Days worked on Saturdays and Sundays, as for evenings."""

    cost: Cost = 500
    shares: Literal["needed", "worth_pay"] = "needed"


class FairHours(_Rule, frozen=True):
    """Hours away from the contract, with the balance of the last weeks, past a tolerance."""

    tolerance: Hours = 4
    cost: Cost = 300


class Steadiness(_Rule, frozen=True):
    """Each hour by which a start or an end moves against the published roster."""

    cost: Cost = 400


class Grades(_Rule, frozen=True):
    """Where `peak_heads` or more are needed, the grades on duty come to `points` a head."""

    points: Grade = 2
    peak_heads: Count = 4
    cost: Cost = 100


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All rules by name; None: switched off."""

    availability: Availability | None = None
    qualification: Qualification | None = None
    rest: Rest | None = None
    daily_hours: DailyHours | None = None
    weekly_hours: WeeklyHours | None = None
    days_in_a_row: DaysInARow | None = None
    days_off: DaysOff | None = None
    minors: Minors | None = None
    opening_duties: OpeningDuties | None = None
    least_heads: LeastHeads | None = None
    skilled_at_peak: SkilledAtPeak | None = None
    mentor_beside_trainee: MentorBesideTrainee | None = None
    fixed_assignments: FixedAssignments | None = None
    waiting: Waiting | None = None
    pay: Pay | None = None
    wishes: Wishes | None = None
    fair_evenings: FairEvenings | None = None
    fair_weekends: FairWeekends | None = None
    fair_hours: FairHours | None = None
    steadiness: Steadiness | None = None
    grades: Grades | None = None

    def without(self, *names: str) -> Rules:
        """The same with some rules switched off."""
        return msgspec.structs.replace(self, **dict.fromkeys(names))


HARD = (
    "availability",
    "qualification",
    "rest",
    "daily_hours",
    "weekly_hours",
    "days_in_a_row",
    "days_off",
    "minors",
    "opening_duties",
    "least_heads",
    "skilled_at_peak",
    "mentor_beside_trainee",
    "fixed_assignments",
)
SOFT = (
    "waiting",
    "pay",
    "wishes",
    "fair_evenings",
    "fair_weekends",
    "fair_hours",
    "steadiness",
    "grades",
)
