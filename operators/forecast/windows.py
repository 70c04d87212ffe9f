"""Windows of footfall as panels: local time, what is masked, and the quarters of days to come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from operators.footfall.facts import QUARTER_US
from operators.footfall.rules import StoreTimes
from operators.forecast.panel import SLOTS, Panel
from schemas.forecast_rules import Mask, Measure
from schemas.instants import to_datetime, to_micros

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Days that say when a store is open where no opening hours are known.
_LOOKED_AT = 28


class Windows(NamedTuple):
    """Columns of footfall_15m: `store` numbers `names`, `quarter` counts quarters since 1970 UTC.

    `doors` and `tills` tell where the figures are good: final, open, no sensor silent.
    """

    names: tuple[str, ...]
    store: Ints
    quarter: Ints
    entries: Floats
    orders: Floats
    doors: NDArray[np.bool_]
    tills: NDArray[np.bool_]


class Place(NamedTuple):
    """A store as forecasts need it."""

    name: str
    zone: str
    group: str
    times: StoreTimes | None


@lru_cache(maxsize=64)
def quarters_of(zone: str, day: date) -> tuple[tuple[int, int], ...]:
    """The quarters of a local day: (quarter since 1970, slot of the day), 92 to 100 of them."""
    where = ZoneInfo(zone)
    start = to_micros(datetime(day.year, day.month, day.day, tzinfo=where)) // QUARTER_US
    after = day + timedelta(days=1)
    end = to_micros(datetime(after.year, after.month, after.day, tzinfo=where)) // QUARTER_US
    found = []
    for quarter in range(start, end):
        local = to_datetime(quarter * QUARTER_US).astimezone(where)
        found.append((quarter, local.hour * 4 + local.minute // 15))
    return tuple(found)


def panel_of(
    windows: Windows,
    measure: Measure,
    places: Sequence[Place],
    first: date,
    days: int,
    masks: Sequence[Mask] = (),
) -> Panel:
    """The panel of `places` over `days` local days from `first`; masked windows are not in it."""
    counts = np.zeros((len(places), days, SLOTS))
    exposure = np.zeros_like(counts)
    values = windows.entries if measure == "entries" else windows.orders
    good = (windows.doors if measure == "entries" else windows.tills).copy()
    number = np.full(len(windows.names), -1)
    known = {place.name: at for at, place in enumerate(places)}
    for at, name in enumerate(windows.names):
        number[at] = known.get(name, -1)
    row = number[windows.store]
    for mask in masks:
        if mask.measure in {None, measure}:
            hit = np.array([fnmatchcase(name, mask.store) for name in windows.names], dtype=bool)
            since = to_micros(mask.since) // QUARTER_US
            until = -(-to_micros(mask.until) // QUARTER_US)
            within = (windows.quarter >= since) & (windows.quarter < until)
            good &= ~(hit[windows.store] & within)
    zones = sorted({place.zone for place in places})
    zone_of = np.array([zones.index(place.zone) for place in places])
    for at, zone in enumerate(zones):
        day_of, slot_of, start = _lookup(zone, first, days)
        place = windows.quarter - start
        use = good & (row >= 0) & (place >= 0) & (place < len(day_of))
        use[use] &= zone_of[row[use]] == at
        where = (row[use], day_of[place[use]], slot_of[place[use]])
        np.add.at(counts, where, values[use])
        np.add.at(exposure, where, 1.0)
    groups = tuple(place.group for place in places)
    return Panel(tuple(place.name for place in places), groups, first, counts, exposure)


def _lookup(zone: str, first: date, days: int) -> tuple[Ints, Ints, int]:
    """Day and slot of every quarter from the first on, and the number of the first quarter."""
    day_of, slot_of = [], []
    for day in range(days):
        for _, slot in quarters_of(zone, first + timedelta(days=day)):
            day_of.append(day)
            slot_of.append(slot)
    start = quarters_of(zone, first)[0][0]
    return np.array(day_of), np.array(slot_of), start


def open_ahead(panel: Panel, places: Sequence[Place], ahead: int) -> Floats:
    """How many quarters of real time will be open in each slot of the days after the panel.

    By the opening hours where there are some; else a slot is taken to be open on days of the week
    on which it was open more often than not in the last four weeks (any day of the week, for a
    store that is newer than a week).
    """
    found = np.zeros((len(places), ahead, SLOTS))
    recent = panel.exposure[:, -_LOOKED_AT:] > 0
    weekday = (np.arange(panel.days) + panel.first.weekday())[-_LOOKED_AT:] % 7
    for number in range(ahead):
        day = panel.end + timedelta(days=number)
        for at, place in enumerate(places):
            quarters = quarters_of(place.zone, day)
            if place.times is not None and place.times.has_hours:
                for quarter, slot in quarters:
                    found[at, number, slot] += place.times.is_open(quarter)
                continue
            seen = recent[at]
            alive = seen.any(axis=1)
            # A day of the week is judged by itself once the store was there on one of them.
            there = np.arange(len(seen)) >= (alive.argmax() if alive.any() else len(seen))
            alike = seen[there & (weekday == day.weekday())]
            judged = alike if len(alike) else seen[alive]
            usual = judged.mean(axis=0) > 0.5 if len(judged) else np.zeros(SLOTS, bool)
            for _, slot in quarters:
                found[at, number, slot] += usual[slot]
    return found
