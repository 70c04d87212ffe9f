"""Kinds of days, against the State Council's own list of 2026 and days worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from operators.forecast.days import EVE, LAST_OFF, OFF, WORK, day_kinds
from operators.forecast.features import WEEKDAYS, day_columns
from sources.simulator.seasons import CHINA_2026

YEAR = day_kinds("CN", date(2026, 1, 1), 365)


def test_holidays_and_moved_working_days_are_those_of_the_notice() -> None:
    off = {kind.day for kind in YEAR if kind.place}
    moved = {kind.day for kind in YEAR if kind.moved}
    assert off == {day for day, kind in CHINA_2026.items() if kind == "holiday"}
    assert moved == {day for day, kind in CHINA_2026.items() if kind == "moved_working_day"}


def test_a_block_is_counted_from_its_first_to_its_last_day() -> None:
    block = [kind for kind in YEAR if date(2026, 2, 15) <= kind.day <= date(2026, 2, 23)]
    assert [(kind.place, kind.length) for kind in block] == [(n, 9) for n in range(1, 10)]
    by_day = {kind.day: kind for kind in YEAR}
    # The Saturday before the Spring Festival is worked, and people leave after it.
    assert by_day[date(2026, 2, 14)].moved
    assert by_day[date(2026, 2, 14)].eve
    assert by_day[date(2026, 2, 24)].after
    assert not by_day[date(2026, 2, 25)].after


def test_a_block_is_the_same_wherever_the_days_begin() -> None:
    whole = {kind.day: kind for kind in YEAR}
    for start in range(200, 290, 7):
        first = date(2026, 1, 1) + timedelta(days=start)
        for kind in day_kinds("CN", first, 10):
            assert kind == whole[kind.day]


def test_shapes_of_days() -> None:
    by_day = {kind.day: kind.shape for kind in YEAR}
    assert by_day[date(2026, 3, 4)] == WORK
    assert by_day[date(2026, 3, 6)] == EVE  # a Friday
    assert by_day[date(2026, 2, 28)] == WORK  # a Saturday that is worked
    assert by_day[date(2026, 10, 1)] == OFF  # a Thursday
    assert by_day[date(2026, 10, 7)] == LAST_OFF


def test_without_a_country_there_are_weekdays_only() -> None:
    kinds = day_kinds(None, date(2026, 9, 28), 14)
    assert not any(kind.place or kind.moved or kind.eve or kind.after for kind in kinds)


def test_an_unknown_country_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="ISO code"):
        day_kinds("ATLANTIS", date(2026, 1, 1), 3)


def test_columns_of_a_week() -> None:
    plain = day_columns(day_kinds(None, date(2026, 3, 2), 7))[:, : len(WEEKDAYS)]
    assert plain.sum(axis=1).tolist() == [1, 1, 0, 1, 1, 1, 1]  # Wednesday is the level itself
    assert plain.sum(axis=0).tolist() == [1] * len(WEEKDAYS)
