"""A roster's problem in whole quarters of an hour: the one thing model and evaluator both read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from operators.roster.need.duties import Duty
from schemas.roster_rules import Rules

SLOTS = 96
SLOT_S = 900.0
SLOTS_AN_HOUR = 4


class Shape(NamedTuple):
    """A shift from slot `start` to before slot `end` of a day.

    A break of `pause` slots (0: none) begins at slot `first` to `last` of the day.
    """

    start: int
    end: int
    pause: int = 0
    first: int = 0
    last: int = 0

    @property
    def worked(self) -> int:
        """Slots at work."""
        return self.end - self.start - self.pause


class Demand(NamedTuple):
    """A task in a slot: `heads` for the goal, and what each number of heads costs.

    The cost falls with each head, by less and less, and not any more after the last one listed.
    """

    heads: int
    cost: tuple[int, ...]

    def with_heads(self, heads: int) -> int:
        """What so many heads cost."""
        return self.cost[min(heads, len(self.cost) - 1)]


class Wanted(NamedTuple):
    """A wish for a day: off, or to work from one slot to another."""

    off: bool
    start: int
    end: int
    weight: int


class Past(NamedTuple):
    """The last weeks: `over` slots above the contract, `ended` the slot yesterday's shift ended."""

    evenings: int = 0
    weekend_days: int = 0
    over: int = 0
    run: int = 0
    ended: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be on the roster; slots a week, money an hour.

    `free` has the spans of each day of the horizon in which the person can work.
    """

    name: str
    skills: dict[str, int]
    pay: int
    least: int
    most: int
    mentor: bool
    trainee: bool
    minor: bool
    free: tuple[tuple[tuple[int, int], ...], ...]
    wishes: tuple[tuple[int, Wanted], ...]
    past: Past

    @property
    def grade(self) -> int:
        """The best grade in any task."""
        return max(self.skills.values(), default=0)


@dataclass(frozen=True, slots=True)
class Problem:
    """One shop's roster to be made. Slots of demands and duties count from the first day."""

    shop: str
    days: tuple[str, ...]
    weekdays: tuple[int, ...]
    open_slots: tuple[int, int]
    people: tuple[Person, ...]
    tasks: tuple[str, ...]
    shapes: tuple[Shape, ...]
    demands: dict[str, dict[int, Demand]]
    duties: tuple[Duty, ...]
    rules: Rules
    pause: int = 0
    around: int = 0
    pause_after: int = 0
    published: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    fixed: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    @property
    def weeks(self) -> list[range]:
        """The days of each week, Mondays first; the first and the last may be cut."""
        starts = [0, *(day for day, weekday in enumerate(self.weekdays) if day and weekday == 0)]
        return [
            range(start, end)
            for start, end in zip(starts, [*starts[1:], len(self.days)], strict=True)
        ]

    def shape(self, start: int, end: int) -> Shape:
        """The shape of a shift, with the break that is due."""
        if not self.pause or end - start <= self.pause_after:
            return Shape(start, end)
        # In halves of a slot, so that a middle between two slots is exact.
        middle = start + end - self.pause
        first = -((2 * self.around - middle) // 2)
        return Shape(start, end, self.pause, first, (middle + 2 * self.around) // 2)

    def shapes_of(self, person: int, day: int) -> list[Shape]:
        """All shapes somebody's day may have, with those that are there already."""
        shapes = list(self.shapes)
        for there in (self.published, self.fixed):
            span = there.get((person, day))
            if span is not None and (shape := self.shape(*span)) not in shapes:
                shapes.append(shape)
        return shapes

    def heads_needed(self, slot: int) -> int:
        """Heads for the goals of all tasks."""
        return sum(by_slot[slot].heads for by_slot in self.demands.values() if slot in by_slot)

    def is_open(self, slot: int) -> bool:
        """Whether customers may come."""
        return self.open_slots[0] <= slot % SLOTS < self.open_slots[1]

    def evening_share(self, person: int) -> int:
        """Late shifts that are this person's share, those of the last weeks taken off."""
        rule = self.rules.fair_evenings
        if rule is None:
            return 0
        after = slot_of(rule.ends_after)
        late = 0
        for day in range(len(self.days)):
            span = range(day * SLOTS + after, (day + 1) * SLOTS)
            late += max(map(self.heads_needed, span), default=0)
        history = [one.past.evenings for one in self.people]
        return self._share(person, late, history)

    def weekend_share(self, person: int) -> int:
        """Days at weekends that are this person's share, those of the last weeks taken off."""
        worked = sum(
            sum(map(self.heads_needed, range(day * SLOTS, (day + 1) * SLOTS)))
            for day, weekday in enumerate(self.weekdays)
            if weekday >= 5
        )
        # A shift is seen as 7 hours of heads.
        history = [one.past.weekend_days for one in self.people]
        return self._share(person, -(-worked // (7 * SLOTS_AN_HOUR)), history)

    def _share(self, person: int, planned: int, history: list[int]) -> int:
        """By contract hours, rounded up: everybody can keep to it."""
        total = sum(one.most for one in self.people)
        if not total:
            return 0
        mine = (planned + sum(history)) * self.people[person].most
        return max(0, -(-mine // total) - history[person])


def slot_of(text: str) -> int:
    """The slot of a time of day: "09:15" is 37."""
    hours, _, minutes = text.partition(":")
    return int(hours) * SLOTS_AN_HOUR + int(minutes) // 15


def clock(slot: int) -> str:
    """The time of day of a slot: 37 is "09:15"."""
    return f"{slot // SLOTS_AN_HOUR:02}:{slot % SLOTS_AN_HOUR * 15:02}"
