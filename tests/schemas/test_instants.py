"""Instants against datetime, over zones and centuries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instants import (
    format_instant,
    midnight_of,
    parse_instant,
    to_datetime,
    to_micros,
)

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FIRST, LAST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)
INSTANTS = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=OFFSETS)


@given(INSTANTS)
def test_microseconds_and_back(instant: datetime) -> None:
    micros = to_micros(instant)
    assert to_datetime(micros) == instant
    assert to_datetime(micros).tzinfo is UTC
    assert parse_instant(instant.isoformat()) == micros
    assert parse_instant(format_instant(micros)) == micros


@given(INSTANTS)
def test_midnight_is_that_of_the_wall_clock(instant: datetime) -> None:
    midnight = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    assert midnight_of(instant) == to_micros(midnight)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23",
        "2026-11-23T10:15:00",
        "2026-11-23T10:15+08:00",
        "2026-02-30T10:15:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T10:15:60Z",
        "2026-11-23T10:15:00+0800",
        "2026-11-23T10:15:00.Z",
        "1795400000",
        "",
    ],
)
def test_what_is_no_instant_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(ValueError, match="time "):
        parse_instant(text)


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(TypeError):
        to_micros(datetime(2026, 1, 1))  # noqa: DTZ001
