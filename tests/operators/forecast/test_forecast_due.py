"""When forecasts are due, in one zone and in several, and on days whose clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.forecast.due import next_due
from schemas.instants import parse_instant, to_datetime

EIGHT_IN_THE_EVENING = 20 * 60


def at(text: str) -> datetime:
    return to_datetime(parse_instant(text))


@pytest.mark.parametrize(
    ("after", "every", "due"),
    [
        ("2026-06-01T10:07:00+08:00", 60, "2026-06-01T11:00:00+08:00"),
        ("2026-06-01T10:07:00+08:00", 0, "2026-06-01T20:00:00+08:00"),
        ("2026-06-01T20:00:00+08:00", 0, "2026-06-02T20:00:00+08:00"),
        ("2026-06-01T19:59:00+08:00", 90, "2026-06-01T20:00:00+08:00"),
        ("2026-06-01T23:50:00+08:00", 90, "2026-06-02T00:00:00+08:00"),
    ],
)
def test_it_is_the_planning_hour_or_a_look_at_the_day(after: str, every: int, due: str) -> None:
    assert next_due(at(after), ["Asia/Shanghai"], EIGHT_IN_THE_EVENING, every) == at(due)


def test_every_zone_has_its_own_evening() -> None:
    zones = ["Asia/Shanghai", "Europe/Berlin"]
    first = next_due(at("2026-06-01T00:00:00Z"), zones, EIGHT_IN_THE_EVENING, 0)
    assert first == at("2026-06-01T12:00:00Z")
    assert next_due(first, zones, EIGHT_IN_THE_EVENING, 0) == at("2026-06-01T18:00:00Z")


@settings(max_examples=60, deadline=None)
@given(
    minutes=st.integers(0, 400 * 24 * 60),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe"]),
    every=st.sampled_from([0, 15, 60, 240]),
)
def test_it_is_always_later_and_never_far(minutes: int, zone: str, every: int) -> None:
    after = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    due = next_due(after, [zone], EIGHT_IN_THE_EVENING, every)
    longest = timedelta(minutes=every) if every else timedelta(hours=24)
    # The clock may be set back by an hour in between.
    assert after < due <= after + longest + timedelta(hours=1)
