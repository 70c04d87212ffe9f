"""What is known of a day ahead of it, as columns of a regression on the log of its total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.forecast.days import LONG_BLOCK, DayKind

Floats = NDArray[np.float64]

# Wednesdays are what the level of a store stands for; a seventh column would only repeat it.
WEEKDAYS = ("monday", "tuesday", "thursday", "friday", "saturday", "sunday")
_COLUMN = (0, 1, None, 2, 3, 4, 5)
BLOCK = (
    "holiday",
    "holiday_first",
    "holiday_last",
    "holiday_long",
    "holiday_eve",
    "holiday_after",
    "moved_working_day",
)
SEASON = ("school_holiday",)
WEATHER = ("rain", "rain_on_day_off", "heat", "cold", "warmth")
# Rain keeps people in by whether it is wet more than by how much comes down: after so many
# millimetres a day nearly two thirds of its effect are there.
WET_MM = 10.0
# How fast the level of a store may turn.
RAMP_DAYS = 7
# Beyond these (degrees Celsius, highest of the day) people stay in, more with each degree.
HOT_C, COLD_C, MILD_C = 25.0, 12.0, 18.0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the days of all stores, shaped (stores, days).

    `rain_mm` and `high_c` are a weather forecast that could be had when the forecast is made (NaN:
    none). `campaigns` has a share from 0 to 1 for each kind of campaign, (stores, days, kinds), and
    `campaign_age` for how many days each has run, 0 without one.
    """

    kinds: Sequence[DayKind]
    rain_mm: Floats
    high_c: Floats
    school_holiday: Floats
    campaigns: Floats
    campaign_age: Floats
    campaign_kinds: tuple[str, ...] = ()


def names(campaign_kinds: Sequence[str]) -> list[str]:
    """The columns' names."""
    campaigns = [f"campaign_{kind}" for kind in campaign_kinds]
    ages = [f"{name}_age" for name in campaigns]
    return [*WEEKDAYS, *BLOCK, *SEASON, *WEATHER, *campaigns, *ages]


def day_columns(kinds: Sequence[DayKind]) -> Floats:
    """The columns of the calendar, (days, columns).

    A day off in a holiday block counts as half Saturday, half Sunday, and a moved working day as a
    working day of no particular name: what such days differ by is learned by their own columns,
    and where none was seen yet, that is the best guess.
    """
    found = np.zeros((len(kinds), len(WEEKDAYS) + len(BLOCK)))
    block = len(WEEKDAYS)
    for row, kind in zip(found, kinds, strict=True):
        if kind.place:
            row[4] = row[5] = 0.5
            row[block] = 1
            row[block + 1] = kind.place == 1
            row[block + 2] = kind.place == kind.length
            row[block + 3] = kind.length >= LONG_BLOCK
        elif kind.moved:
            row[:4] = 0.2
            row[block + 6] = 1
        elif (column := _COLUMN[kind.weekday]) is not None:
            row[column] = 1
        row[block + 4] = kind.eve
        row[block + 5] = kind.after
    return found


def weather_columns(rain_mm: Floats, high_c: Floats, days_off: Floats) -> Floats:
    """The columns of the weather, (stores, days, columns); unknown weather is dry and mild."""
    rain = 1 - np.exp(-np.maximum(np.nan_to_num(rain_mm, nan=0.0), 0) / WET_MM)
    high = np.where(np.isnan(high_c), MILD_C, high_c)
    return np.stack(
        [
            rain,
            rain * days_off,
            np.maximum(high - HOT_C, 0) / 5,
            np.maximum(COLD_C - high, 0) / 5,
            (high - MILD_C) / 10,
        ],
        axis=-1,
    ).astype(np.float64)


def matrix(known: Known) -> Floats:
    """All columns, (stores, days, columns), in the order of `names`."""
    stores, days = known.rain_mm.shape
    calendar = np.broadcast_to(day_columns(known.kinds), (stores, days, len(WEEKDAYS + BLOCK)))
    off = [kind.place > 0 or (kind.weekday > 4 and not kind.moved) for kind in known.kinds]
    weather = weather_columns(known.rain_mm, known.high_c, np.array(off, dtype=np.float64))
    # Campaigns wear off, most of it in the first fortnight.
    age = np.minimum(known.campaign_age, 14.0) / 14 * (known.campaigns > 0)
    school = known.school_holiday[..., None]
    return np.concatenate([calendar, school, weather, known.campaigns, age], axis=-1)


def campaign_age(campaigns: Floats) -> Floats:
    """Days since each campaign began, from its shares, (stores, days, kinds)."""
    age = np.zeros(campaigns.shape)
    for day in range(1, campaigns.shape[1]):
        age[:, day] = np.where(campaigns[:, day] > 0, age[:, day - 1] + 1, 0)
    # The first day of a campaign is its day 0.
    return np.maximum(age - 1, 0.0)


def drift_columns(days: int, ahead: int) -> Floats:
    """A level that wanders: ramps of a week each, (days + ahead, ramps).

    Each is -1 before its week, 0 after it, so that the level of the regression is that of today
    and each coefficient is what a week changed. Small independent coefficients make a random walk
    (Harvey 1989, ch. 2.3) in steps of weeks.
    """
    ramps = max(0, days // RAMP_DAYS - 1)
    starts = days - RAMP_DAYS * np.arange(ramps, 0, -1)
    number = np.arange(days + ahead)[:, None]
    return np.clip((number - starts + 1) / RAMP_DAYS, 0, 1) - 1.0
