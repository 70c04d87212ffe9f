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
    Of the heads for the goal `worth_pay` save more than they are paid; None: all of them.
    """

    heads: int
    cost: tuple[int, ...]
    worth_pay: int | None = None

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


class Place(NamedTuple):
    """A shop among several: its own tasks, and when it is open."""

    name: str
    tasks: tuple[str, ...]
    open_slots: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be on the roster of a shop; slots a week, money an hour.

    Who works in several shops is listed once for each, under one name: the same human being.

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
    shop: int = 0

    @property
    def grade(self) -> int:
        """The best grade in any task."""
        return max(self.skills.values(), default=0)


@dataclass(frozen=True, slots=True)
class Problem:
    """A roster to be made, of a shop or of `shops` that share people.

    Slots of demands and duties count from the first day. `travel` has the slots between two shops;
    nobody works on one day in two between which there is none. Tasks belong to one shop each.
    """

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
    shops: tuple[Place, ...] = ()
    travel: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def groups(self) -> list[list[int]]:
        """The people that are one human being, in one list each: as many as shops they work in."""
        found: dict[str, list[int]] = {}
        for at, person in enumerate(self.people):
            found.setdefault(person.name, []).append(at)
        return list(found.values())

    def shop_of(self, task: str) -> int:
        """The shop a task is in."""
        return next((at for at, one in enumerate(self.shops) if task in one.tasks), 0)

    def can(self, person: int, task: str) -> bool:
        """Whether the person may do a task: it is in their shop, and they are qualified."""
        who = self.people[person]
        if self.rules.qualification is not None and task not in who.skills:
            return False
        return not self.shops or task in self.shops[who.shop].tasks

    def within(self, shop: int) -> str:
        """` in west` where there are several shops."""
        return f" in {self.shops[shop].name}" if self.shops else ""

    def label(self, person: int) -> str:
        """The person's name, with the shop where there are several."""
        who = self.people[person]
        return who.name + self.within(who.shop)

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

    def heads_needed(self, slot: int, shop: int | None = None) -> int:
        """Heads for the goals of all tasks, or of those of one shop."""
        return sum(
            by_slot[slot].heads
            for task, by_slot in self.demands.items()
            if slot in by_slot and (shop is None or not self.shops or self.shop_of(task) == shop)
        )

    def heads_shared(self, slot: int, shares: str) -> int:
        """Heads that count for everybody's share: those `needed`, or those who are `worth_pay`."""
        return sum(
            demand.heads if shares == "needed" or demand.worth_pay is None else demand.worth_pay
            for by_slot in self.demands.values()
            if (demand := by_slot.get(slot)) is not None
        )

    def is_open(self, slot: int, shop: int = 0) -> bool:
        """Whether customers may come."""
        opens, closes = self.shops[shop].open_slots if self.shops else self.open_slots
        return opens <= slot % SLOTS < closes

    def evening_share(self, person: int) -> int:
        """Late shifts that are this person's share, those of the last weeks taken off."""
        rule = self.rules.fair_evenings
        if rule is None:
            return 0
        after = slot_of(rule.ends_after)
        late = 0
        for day in range(len(self.days)):
            span = range(day * SLOTS + after, (day + 1) * SLOTS)
            late += max((self.heads_shared(slot, rule.shares) for slot in span), default=0)
        history = {one.name: one.past.evenings for one in self.people}
        return self._share(person, late, history)

    def weekend_share(self, person: int) -> int:
        """Days at weekends that are this person's share, those of the last weeks taken off."""
        rule = self.rules.fair_weekends
        if rule is None:
            return 0
        worked = sum(
            self.heads_shared(slot, rule.shares)
            for day, weekday in enumerate(self.weekdays)
            if weekday >= 5
            for slot in range(day * SLOTS, (day + 1) * SLOTS)
        )
        # A shift is seen as 7 hours of heads.
        history = {one.name: one.past.weekend_days for one in self.people}
        return self._share(person, -(-worked // (7 * SLOTS_AN_HOUR)), history)

    def _share(self, person: int, planned: int, history: dict[str, int]) -> int:
        """By contract hours, rounded up: everybody can keep to it."""
        total = sum({one.name: one.most for one in self.people}.values())
        if not total:
            return 0
        who = self.people[person]
        mine = (planned + sum(history.values())) * who.most
        return max(0, -(-mine // total) - history[who.name])


def slot_of(text: str) -> int:
    """The slot of a time of day: "09:15" is 37."""
    hours, _, minutes = text.partition(":")
    return int(hours) * SLOTS_AN_HOUR + int(minutes) // 15


def clock(slot: int) -> str:
    """The time of day of a slot: 37 is "09:15"."""
    return f"{slot // SLOTS_AN_HOUR:02}:{slot % SLOTS_AN_HOUR * 15:02}"
