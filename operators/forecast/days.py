"""What kind of day a day is: weekday, public holiday and its block, moved working day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

# A block of days off that is looked at on both sides of a day: the longest of China's has nine.
_LOOK = 14
# From this many days off on people travel: the middle of such a block is a kind of its own.
LONG_BLOCK = 5

# Kinds of the shape of a day.
WORK, EVE, OFF, LAST_OFF = range(4)
SHAPES = 4


class DayKind(NamedTuple):
    """A day as shops feel it.

    `place` counts the days of a block of days off that holds a public holiday, from 1; 0 outside
    of one. `length` is the block's. `eve` and `after` are the working days beside such a block.
    `moved` is a weekend day that is worked.
    """

    day: date
    weekday: int
    place: int
    length: int
    eve: bool
    after: bool
    moved: bool

    @property
    def shape(self) -> int:
        """Which shape of the day it has, as far as the calendar tells."""
        if self.place:
            return LAST_OFF if self.place == self.length else OFF
        if self.moved:
            return WORK
        if self.eve:
            return EVE
        return (WORK, WORK, WORK, WORK, EVE, OFF, LAST_OFF)[self.weekday]


def day_kinds(country: str | None, first: date, count: int) -> list[DayKind]:
    """The kinds of `count` days from `first`; without a country there are weekdays only.

    The rules come from the library `holidays`, which for China knows the days that the State
    Council moves; it can only know the years that were announced when it was made.

    Raises:
        ValueError: the library knows no such country.
    """
    days = [first + timedelta(days=number) for number in range(-_LOOK, count + _LOOK)]
    if country is None:
        working = [day.weekday() < 5 for day in days]
        public = [False] * len(days)
    else:
        working, public = _official(country, days)
    blocks = _blocks(working, public)
    kinds = []
    for at in range(_LOOK, _LOOK + count):
        place, length = blocks[at]
        kinds.append(
            DayKind(
                day=days[at],
                weekday=days[at].weekday(),
                place=place,
                length=length,
                eve=not place and blocks[at + 1][0] == 1,
                after=not place and blocks[at - 1][0] == blocks[at - 1][1] > 0,
                moved=working[at] and days[at].weekday() >= 5,
            )
        )
    return kinds


def _official(country: str, days: Sequence[date]) -> tuple[list[bool], list[bool]]:
    # Loaded only when a forecast is made: other commands start without it.
    import holidays  # noqa: PLC0415

    try:
        known = holidays.country_holidays(country, years=sorted({day.year for day in days}))
    except NotImplementedError:
        msg = f"no holidays are known for country {country!r}: give its ISO code, like CN or NZ"
        raise ValueError(msg) from None
    return [known.is_working_day(day) for day in days], [day in known for day in days]


def _blocks(working: Sequence[bool], public: Sequence[bool]) -> list[tuple[int, int]]:
    """Place and length of the block of days off a day is in; (0, 0) outside and on weekends."""
    found = [(0, 0)] * len(working)
    start = 0
    while start < len(working):
        if working[start]:
            start += 1
            continue
        end = start
        while end < len(working) and not working[end]:
            end += 1
        if any(public[start:end]):
            for at in range(start, end):
                found[at] = (at - start + 1, end - start)
        start = end
    return found
