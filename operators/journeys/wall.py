"""The clock on a member's wall: schedules, quiet hours and weekdays in a zone, over clock changes.

A wall clock that is left out (spring) is the instant after the gap, one that comes twice (autumn)
is its first one; so what is set for 02:30 happens once on every day of the year.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_datetime, to_micros

EVERY_DAY = frozenset(range(7))


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo | None:
    """The zone of that name, None where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return None


def first_zone(*names: str | None) -> ZoneInfo:
    """The first of the names that is a zone; UTC if none is."""
    found = (zone_of(name) for name in names if name)
    return next((zone for zone in found if zone is not None), ZoneInfo("UTC"))


class Hours(NamedTuple):
    """When marketing may go: not between `quiet` (minutes of the day), on these `days` only."""

    quiet: tuple[tuple[int, int], ...]
    days: frozenset[int] = EVERY_DAY

    def open_at(self, at: int, zone: ZoneInfo) -> bool:
        """Whether a message may go at an instant."""
        local = to_datetime(at).astimezone(zone)
        if local.weekday() not in self.days:
            return False
        minute = local.hour * 60 + local.minute
        return not any(_inside(minute, *window) for window in self.quiet)

    def next_open(self, at: int, zone: ZoneInfo) -> int | None:
        """The first instant from `at` on at which a message may go; None: never within 9 days."""
        if self.open_at(at, zone):
            return at
        ends = [end for _, end in self.quiet]
        for day in _days_from(at, zone, 10):
            found = {one for minute in (0, *ends) for one in _both(day, minute, zone)}
            found.update(_change(day, zone))
            for one in sorted(found):
                if one > at and self.open_at(one, zone):
                    return one
        return None


class Schedule(NamedTuple):
    """Every day of `days`, or on the day `month_day` of every month, at a minute of the day."""

    minute: int
    days: frozenset[int] = EVERY_DAY
    month_day: int | None = None

    def after(self, at: int, zone: ZoneInfo) -> int:
        """The first instant of the schedule after `at`."""
        for day in _days_from(at, zone, 400):
            if self._on(day):
                found = instant_of(day, self.minute, zone)
                if found > at:
                    return found
        msg = f"{self} never comes after {at}"
        raise AssertionError(msg)

    def _on(self, day: date) -> bool:
        if self.month_day is None:
            return day.weekday() in self.days
        # The 31st is the last day of a month that has none.
        return day.day == min(self.month_day, monthrange(day.year, day.month)[1])


def next_clock(
    at: int, minute: int, zone: ZoneInfo, days: frozenset[int] = EVERY_DAY, grace: int = 0
) -> int:
    """The first time from `at` on that the clock shows `minute`; `at` itself within the grace."""
    schedule = Schedule(minute, days)
    passed = schedule.after(at - max(grace, 0) - 1, zone)
    return max(passed, at)


def begin_of_day(at: int, zone: ZoneInfo, back: int = 0) -> int:
    """Midnight of the day of an instant, or of so many days before."""
    day = to_datetime(at).astimezone(zone).date() - timedelta(days=back)
    return instant_of(day, 0, zone)


def instant_of(day: date, minute: int, zone: ZoneInfo) -> int:
    """The instant at which the clock shows `minute` on a day."""
    first, _ = _both(day, minute, zone)
    return first


def _inside(minute: int, begin: int, end: int) -> bool:
    if begin < end:
        return begin <= minute < end
    return minute >= begin or minute < end


def _days_from(at: int, zone: ZoneInfo, count: int) -> Iterator[date]:
    # A clock set back over midnight shows the day before again.
    today = to_datetime(at).astimezone(zone).date() - timedelta(days=1)
    for step in range(count + 1):
        yield today + timedelta(days=step)


def _both(day: date, minute: int, zone: ZoneInfo) -> tuple[int, int]:
    """Both instants of a wall clock; the same where it comes once."""
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60)  # noqa: DTZ001
    first = to_micros(local.replace(tzinfo=zone, fold=0))
    second = to_micros(local.replace(tzinfo=zone, fold=1))
    if first <= second:
        return first, second
    # Left out: `fold` 0 is read with the offset before the gap, and lies after it.
    after = _change_between(second, first, zone)
    return after, after


def _change(day: date, zone: ZoneInfo) -> Iterator[int]:
    """The instant of the day at which clocks change, if they do."""
    noon = to_micros(datetime(day.year, day.month, day.day, 12, tzinfo=zone))
    low, high = noon - DAY_US // 2 - HOUR_US, noon + DAY_US // 2 + HOUR_US
    if _offset(low, zone) != _offset(high, zone):
        yield _change_between(low, high, zone)


def _change_between(low: int, high: int, zone: ZoneInfo) -> int:
    """The first instant with the offset that `high` has; `low` has another one."""
    target = _offset(high, zone)
    while high - low > SECOND_US:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(middle, zone) == target else (middle, high)
    return high // MINUTE_US * MINUTE_US


def _offset(at: int, zone: ZoneInfo) -> timedelta | None:
    return to_datetime(at).astimezone(zone).utcoffset()
