"""A roster of shifts with a task in each slot, around the clock."""

from __future__ import annotations

from dataclasses import dataclass

SLOTS = 96


@dataclass(frozen=True, slots=True)
class Contract:
    """Somebody's slots at work in the whole horizon."""

    name: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class ActivityProblem:
    """A roster to be made; slots count from the start of the first day.

    `starts` are the slots of a day in which a shift may begin, `lengths` how many slots it may
    take, `rest` the slots between two shifts, `stint` the slots one stays at a task at least,
    `longest_run` the days in a row. Shifts begin once in a day, and once in the calendar day that
    begins at slot `midnight`. `least` and `most` are the heads by slot and task: fewer are not
    allowed, more cost the square of what is too much.
    """

    days: int
    people: tuple[Contract, ...]
    least: tuple[tuple[int, ...], ...]
    most: tuple[tuple[int, ...], ...]
    starts: tuple[int, ...]
    lengths: range
    rest: int
    stint: int
    longest_run: int
    midnight: int = SLOTS

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return len(self.least[0])

    def calendar_day(self, day: int, start: int) -> int:
        """The calendar day of a start."""
        return day + (start >= self.midnight)
