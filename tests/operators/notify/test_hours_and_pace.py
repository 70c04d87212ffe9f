"""Hours over midnight and over clock changes; waits between tries; the cap of a provider."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.notify.hours import end_of, parse_hours, within
from operators.notify.pace import JITTER, earliest, wait_after
from schemas.hooks import Retry
from schemas.instants import HOUR_US, MINUTE_US, SECOND_US, to_datetime, to_micros

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
START, END = (to_micros(datetime(year, 1, 1, tzinfo=UTC)) for year in (2026, 2027))


@given(
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.integers(START // MINUTE_US, END // MINUTE_US),
    st.sampled_from(ZONES),
)
@settings(max_examples=200, deadline=None)
def test_the_end_of_hours_is_the_first_minute_outside(
    start: int, end: int, minute: int, name: str
) -> None:
    hours = parse_hours(f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}")
    zone, now = ZoneInfo(name), minute * MINUTE_US
    if start == end or not within(hours, now, zone):
        return
    over = end_of(hours, now, zone)
    assert now < over <= now + 26 * HOUR_US
    assert not within(hours, over, zone)
    # Where no clock is set in between, there is not a minute outside before it.
    offsets = {to_datetime(each).astimezone(zone).utcoffset() for each in (now, over)}
    if len(offsets) == 1:
        assert all(within(hours, each, zone) for each in range(now, over, 7 * MINUTE_US))


@pytest.mark.parametrize(("time", "inside"), [("21:59", False), ("22:00", True), ("08:00", False)])
def test_hours_begin_with_their_first_minute(time: str, inside: bool) -> None:
    now = to_micros(datetime.fromisoformat(f"2026-11-23T{time}:00+08:00"))
    assert within(parse_hours("22:00-08:00"), now, ZoneInfo("Asia/Shanghai")) is inside


def test_waits_grow_to_their_limit_and_end() -> None:
    retry = Retry(first_seconds=2, factor=2, most_seconds=60, attempts=8)
    waits = [wait_after(attempt, retry, "m1") for attempt in range(1, 9)]
    assert waits[-1] is None
    for wait, plain in zip(waits, [2, 4, 8, 16, 32, 60, 60], strict=False):
        assert wait is not None
        assert plain * (1 - JITTER) <= wait / SECOND_US <= plain * (1 + JITTER)
    assert wait_after(1, retry, "m1") == waits[0]
    assert wait_after(1, retry, "m2") != waits[0]
    assert wait_after(99, Retry(attempts=100, factor=10), "m") is not None


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 20))
def test_no_minute_has_more_requests_than_the_cap(gaps: list[int], per_minute: int) -> None:
    sent: list[int] = []
    now = 0
    for gap in gaps:
        now = earliest(sent, per_minute, now + gap * SECOND_US)
        sent.append(now)
        assert sum(1 for each in sent if each > now - MINUTE_US) <= per_minute
