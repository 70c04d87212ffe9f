"""Windows become panels: local days with changing clocks, masks, opening hours, weather."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from operators.forecast.context import Context, Weather
from operators.forecast.features import drift_columns, matrix
from operators.forecast.windows import Place, Windows, open_ahead, panel_of, quarters_of
from schemas.chain import Chain
from schemas.footfall_rules import FootfallConfig, OpeningHours
from schemas.forecast_rules import Campaign, ForecastConfig, Mask, SchoolHoliday, StoreKind

ZONE = "Europe/Berlin"
AUTUMN = date(2026, 10, 25)  # 25 hours
SPRING = date(2026, 3, 29)  # 23 hours


def windows_of(day: date, days: int = 1, store: str = "S1", zone: str = ZONE) -> Windows:
    """Every quarter of these local days, its local slot as its entries."""
    found = [
        (quarter, slot)
        for number in range(days)
        for quarter, slot in quarters_of(zone, day + timedelta(days=number))
    ]
    count = len(found)
    return Windows(
        names=(store,),
        store=np.zeros(count, dtype=np.int64),
        quarter=np.array([quarter for quarter, _ in found]),
        entries=np.array([slot for _, slot in found], dtype=float),
        orders=np.ones(count),
        doors=np.ones(count, dtype=bool),
        tills=np.ones(count, dtype=bool),
    )


@pytest.mark.parametrize(("day", "count"), [(AUTUMN, 100), (SPRING, 92), (date(2026, 6, 1), 96)])
def test_quarters_of_a_day_are_those_of_the_clock(day: date, count: int) -> None:
    found = quarters_of(ZONE, day)
    assert len(found) == count
    for quarter, slot in found:
        local = datetime.fromtimestamp(quarter * 900, UTC).astimezone(ZoneInfo(ZONE))
        assert local.date() == day
        assert (local.hour, local.minute) == (slot // 4, slot % 4 * 15)


def test_an_hour_that_comes_twice_counts_twice_and_one_that_is_missing_not() -> None:
    place = Place("S1", ZONE, "", None)
    twice = panel_of(windows_of(AUTUMN), "entries", [place], AUTUMN, 1)
    assert twice.exposure[0, 0, 8:12].tolist() == [2] * 4
    assert twice.counts[0, 0, 8] == 16
    none = panel_of(windows_of(SPRING), "entries", [place], SPRING, 1)
    assert none.exposure[0, 0, 8:12].tolist() == [0] * 4
    assert none.exposure.sum() == 92


def test_dead_doors_silence_entries_and_not_orders() -> None:
    windows = windows_of(AUTUMN)
    doors = windows.doors.copy()
    doors[40:50] = False
    place = Place("S1", ZONE, "", None)
    dead = windows._replace(doors=doors)
    assert panel_of(dead, "entries", [place], AUTUMN, 1).exposure.sum() == 90
    assert panel_of(dead, "orders", [place], AUTUMN, 1).exposure.sum() == 100


def test_masks_hit_their_store_time_and_measure() -> None:
    since = datetime(2026, 10, 25, 9, 0, tzinfo=UTC)
    mask = Mask(since, since + timedelta(minutes=50), "S*", "orders", "out of stock")
    place = Place("S1", ZONE, "", None)
    windows = windows_of(AUTUMN)
    assert panel_of(windows, "orders", [place], AUTUMN, 1, [mask]).exposure.sum() == 96
    assert panel_of(windows, "entries", [place], AUTUMN, 1, [mask]).exposure.sum() == 100
    other = Mask(mask.since, mask.until, "T*", None, "")
    assert panel_of(windows, "orders", [place], AUTUMN, 1, [other]).exposure.sum() == 100


def test_opening_hours_say_what_will_be_open() -> None:
    hours = (
        OpeningHours(weekdays=(7,), closed=True),
        OpeningHours(opens="09:00", closes="11:30"),
    )
    chain = Chain(timezone=ZONE, footfall=FootfallConfig(hours=hours))
    context = Context(chain, ["S1"], date(2026, 6, 1), 14)
    panel = panel_of(
        windows_of(date(2026, 6, 1), 6), "entries", context.places, date(2026, 6, 1), 6
    )
    found = open_ahead(panel, context.places, 2)  # a Sunday and a Monday
    assert found[0, 0].sum() == 0
    assert np.flatnonzero(found[0, 1]).tolist() == list(range(36, 46))


def test_without_opening_hours_the_last_weeks_say_it() -> None:
    first = date(2026, 6, 1)
    windows = windows_of(first, 21)
    # Open from 10 to 12, on Sundays not at all.
    slot = windows.entries
    day = np.repeat(np.arange(21), 96)
    good = (slot >= 40) & (slot < 48) & (day % 7 != 6)
    place = Place("S1", ZONE, "", None)
    panel = panel_of(windows._replace(doors=good), "entries", [place], first, 21)
    found = open_ahead(panel, [place], 7)
    assert [int(one.sum()) for one in found[0]] == [8] * 6 + [0]


def test_what_is_known_ahead_comes_from_the_chain() -> None:
    first = date(2026, 6, 1)
    config = ForecastConfig(
        stores=(StoreKind("S1", "mall", "north"), StoreKind(group="street")),
        campaigns=(Campaign(date(2026, 5, 30), date(2026, 6, 3), "price", "S1"),),
        school_holidays=(SchoolHoliday(date(2026, 6, 5), date(2026, 6, 30), "S2"),),
    )
    weather = [
        Weather("north", date(2026, 6, 2), 0, 9.0, 20.0),
        Weather("north", date(2026, 6, 2), 1, 5.0, 22.0),
        Weather("north", date(2026, 6, 2), 3, 1.0, 25.0),
    ]
    context = Context(Chain(forecast=config), ["S1", "S2"], first, 10, weather)
    assert [place.group for place in context.places] == ["mall", "street"]
    tomorrow = context.outlook(0, 10, 1)
    assert tomorrow.campaigns[:, :4, 0].tolist() == [[1, 1, 1, 0], [0, 0, 0, 0]]
    assert tomorrow.school_holiday.sum(axis=1).tolist() == [0, 6]
    # What was known the day before, two days before (only the older one), and never what came.
    assert tomorrow.rain_mm[0, 1] == 5.0
    assert context.outlook(0, 10, 2).rain_mm[0, 1] == 1.0
    assert np.isnan(tomorrow.rain_mm[1]).all()
    assert np.isfinite(matrix(tomorrow)).all()


def test_the_ramps_of_a_wandering_level_end_today() -> None:
    ramps = drift_columns(30, 3)
    assert ramps.shape == (33, 3)
    assert (ramps[29:] == 0).all()
    assert (ramps[0] == -1).all()
    assert (np.diff(ramps, axis=0) >= 0).all()
