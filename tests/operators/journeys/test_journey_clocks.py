"""Quiet hours, weekdays and schedules in five zones and over clock changes, against plain scans."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.journeys.wall import Hours, Schedule, begin_of_day, next_clock, zone_of
from schemas.instants import DAY_US, MINUTE_US, to_datetime, to_micros

ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
)
# Both changes of a year in each zone that has them lie within some days of one of these.
CHANGES = tuple(
    datetime(2026, *day, tzinfo=UTC)
    for day in ((3, 8), (3, 29), (4, 4), (10, 3), (10, 25), (11, 1))
)
GRID = timedelta(minutes=5)
clocks = st.integers(0, 287).map(lambda number: number * 5)
starts = st.tuples(st.sampled_from(CHANGES), st.integers(-600, 600)).map(
    lambda one: one[0] + one[1] * GRID
)
zones = st.sampled_from(ZONES)


@settings(max_examples=150, deadline=None)
@given(
    start=starts,
    zone=zones,
    window=st.tuples(clocks, clocks).filter(lambda one: one[0] != one[1]),
    days=st.sets(st.integers(0, 6), min_size=1),
)
def test_the_next_open_instant_is_the_first_that_is_open(
    start: datetime, zone: str, window: tuple[int, int], days: set[int]
) -> None:
    """Every five minutes of the wall's clock, until one is neither quiet nor of another day."""
    found = Hours((window,), frozenset(days)).next_open(to_micros(start), ZoneInfo(zone))
    at = start
    while not _is_open(at.astimezone(ZoneInfo(zone)), window, days):
        at += GRID
    assert found == to_micros(at)


def _is_open(local: datetime, window: tuple[int, int], days: set[int]) -> bool:
    minute = local.hour * 60 + local.minute
    begin, end = window
    quiet = begin <= minute < end if begin < end else not end <= minute < begin
    return local.weekday() in days and not quiet


@settings(max_examples=100, deadline=None)
@given(start=starts, zone=zones, clock=clocks, days=st.sets(st.integers(0, 6), min_size=1))
def test_a_schedule_comes_once_on_each_of_its_days(
    start: datetime, zone: str, clock: int, days: set[int]
) -> None:
    """In 21 days: on every day that it is for, once, at its clock or just after a gap."""
    wall = ZoneInfo(zone)
    schedule = Schedule(clock, frozenset(days))
    at, end, found = to_micros(start), to_micros(start) + 21 * DAY_US, []
    while (at := schedule.after(at, wall)) < end:
        found.append(to_datetime(at).astimezone(wall))
    first, last = start.astimezone(wall).date(), to_datetime(end).astimezone(wall).date()
    inner = [day for day in _dates(first, last) if day.weekday() in days]
    assert [one.date() for one in found if first < one.date() < last] == inner
    for one in found:
        shown = one.hour * 60 + one.minute
        before = (one.astimezone(UTC) - timedelta(minutes=1)).astimezone(wall)
        skipped = before.hour * 60 + before.minute < clock < shown
        assert (shown == clock and one.fold == 0) or skipped


def _dates(first: date, last: date) -> list[date]:
    return [first + timedelta(days=step) for step in range(1, (last - first).days)]


@pytest.mark.parametrize("zone", ZONES)
def test_a_friday_is_a_friday_on_that_wall(zone: str) -> None:
    wall = ZoneInfo(zone)
    at = to_micros(datetime(2026, 1, 1, tzinfo=UTC))
    for _ in range(52):
        at = Schedule(20 * 60, frozenset({4})).after(at, wall)
        local = to_datetime(at).astimezone(wall)
        assert (local.weekday(), local.hour, local.minute) == (4, 20, 0)


def test_the_last_day_of_a_month_is_its_31st() -> None:
    wall = ZoneInfo("Asia/Shanghai")
    at, days = to_micros(datetime(2026, 1, 1, tzinfo=UTC)), []
    for _ in range(4):
        at = Schedule(600, month_day=31).after(at, wall)
        days.append(to_datetime(at).astimezone(wall).day)
    assert days == [31, 28, 31, 30]


def test_midnight_that_is_left_out() -> None:
    """In Beirut the day of the change begins at one o'clock."""
    wall = ZoneInfo("Asia/Beirut")
    noon = to_micros(datetime(2026, 3, 29, 12, tzinfo=wall))
    assert to_datetime(begin_of_day(noon, wall)).astimezone(wall).hour == 1


def test_grace_is_for_who_is_late_not_for_who_is_early() -> None:
    wall = ZoneInfo("Asia/Shanghai")
    nine = to_micros(datetime(2026, 6, 1, 9, tzinfo=wall))
    for minutes, waits in ((-20, 20), (0, 0), (20, 0), (31, 24 * 60 - 31)):
        at = nine + minutes * MINUTE_US
        assert next_clock(at, 540, wall, grace=30 * MINUTE_US) == at + waits * MINUTE_US


def test_quiet_for_ever_is_never() -> None:
    """Windows that leave nothing open have no next instant."""
    hours = Hours(((0, 12 * 60), (12 * 60, 0)))
    assert hours.next_open(0, ZoneInfo("UTC")) is None
    assert zone_of("Asia/Beijing") is None
