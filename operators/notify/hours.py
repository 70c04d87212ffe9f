"""Hours of a day in a shop's own zone: `22:00-08:00` goes over midnight."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.instants import MINUTE_US, to_datetime, to_micros

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class DayHours(NamedTuple):
    """From a minute of the day (included) to another (not included)."""

    start: int
    end: int

    def covers(self, minute: int) -> bool:
        """Whether a minute of the day is inside."""
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


def parse_hours(text: str) -> DayHours:
    """`22:00-08:00` as minutes of the day; the form was checked with the configuration."""
    start, _, end = text.partition("-")
    return DayHours(_minute(start), _minute(end))


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def local_minute(now: int, zone: ZoneInfo) -> tuple[date, int]:
    """The local date and minute of the day of an instant."""
    local = to_datetime(now).astimezone(zone)
    return local.date(), local.hour * 60 + local.minute


def within(hours: DayHours, now: int, zone: ZoneInfo) -> bool:
    """Whether an instant falls into the hours, by the clock on the shop's wall."""
    return hours.covers(local_minute(now, zone)[1])


def weekday(now: int, zone: ZoneInfo) -> str:
    """`mon` to `sun` at the shop."""
    return DAYS[local_minute(now, zone)[0].weekday()]


def end_of(hours: DayHours, now: int, zone: ZoneInfo) -> int:
    """The first instant after `now`, which is inside the hours, at which they are over."""
    day, minute = local_minute(now, zone)
    if hours.end <= minute:
        day += timedelta(days=1)
    wall = datetime.combine(day, time(hours.end // 60, hours.end % 60), zone)
    end = to_micros(wall)
    # A clock that is set forward or back at that very hour: the wall's time may lie behind.
    while end <= now or within(hours, end, zone):
        end = max(end, now) + MINUTE_US
    return end
