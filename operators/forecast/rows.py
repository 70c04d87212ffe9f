"""Forecasts as rows of the warehouse: one a quarter, hour and day of real time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from math import ceil, floor
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from operators.footfall.facts import QUARTER_US
from operators.forecast.bands import LEVELS
from operators.forecast.plan import DAY, HOUR, QUARTER, Forecast, in_span
from operators.forecast.today import Today
from operators.forecast.windows import Place, quarters_of
from schemas.forecast_rules import Measure
from schemas.instants import to_datetime

Floats = NDArray[np.float64]
Row = tuple[Any, ...]
_SPANS_OF_SLOT = {HOUR: 4, DAY: 96}


class Stamp(NamedTuple):
    """When a forecast was made and what it rests on, in microseconds since 1970."""

    made_at: int
    known_until: int


class Rows(NamedTuple):
    """Rows of forecast_15m and of forecast_span."""

    quarters: list[Row]
    spans: list[Row]


def rows_of(
    made: Forecast,
    measure: Measure,
    places: Sequence[Place],
    stamp: Stamp,
    today: Mapping[int, tuple[Today, str]] | None = None,
) -> Rows:
    """The rows of every store and day ahead; quarters that are over are left as they were told.

    `today` has the running day of stores by their number, and its update in words.
    """
    found = Rows([], [])
    for store, place in enumerate(places):
        running = (today or {}).get(store)
        for ahead in range(made.mean.shape[1]):
            day = made.panel.end + timedelta(days=ahead)
            now = running if ahead == 0 else None
            _day(made, measure, (store, ahead), (place, day), stamp, now, found)
    return found


def _day(
    made: Forecast,
    measure: Measure,
    at: tuple[int, int],
    where: tuple[Place, date],
    stamp: Stamp,
    running: tuple[Today, str] | None,
    found: Rows,
) -> None:
    (store, ahead), (place, day) = at, where
    zone = ZoneInfo(place.zone)
    mean = running[0].mean if running else made.mean[store, ahead]
    words = running[1] if running else None
    choice = made.choices[store]
    origin = (choice.model, choice.why, words, stamp.known_until, stamp.made_at)
    quarters = quarters_of(place.zone, day)
    twice = np.bincount([slot for _, slot in quarters], minlength=96)
    ranges = _ranges(made, at, running)
    starts: dict[tuple[str, int], int] = {}
    for quarter, slot in quarters:
        if mean[slot] <= 0:
            continue
        start = quarter * QUARTER_US
        for span, width in _SPANS_OF_SLOT.items():
            starts.setdefault((span, slot // width), start)
        if start < stamp.made_at:
            continue
        local = to_datetime(start).astimezone(zone).isoformat(timespec="minutes")
        edges = _edges(ranges[QUARTER], slot, int(twice[slot]))
        head = (place.name, measure, start, local, day.isoformat())
        found.quarters.append((*head, float(mean[slot]) / int(twice[slot]), *edges, *origin))
    for (span, number), start in starts.items():
        total = _total(running, span, number, mean)
        local = to_datetime(start).astimezone(zone).isoformat(timespec="minutes")
        named = (place.name, measure, span, start, local, day.isoformat())
        found.spans.append((*named, total, *_edges(ranges[span], number, 1), *origin))


def _total(running: tuple[Today, str] | None, span: str, number: int, mean: Floats) -> float:
    values = running[0].totals[span] if running else in_span(mean, span)
    return float(np.atleast_1d(values)[number])


def _ranges(
    made: Forecast, at: tuple[int, int], running: tuple[Today, str] | None
) -> dict[str, list[tuple[Floats, Floats]]]:
    found: dict[str, list[tuple[Floats, Floats]]] = {}
    for span in (QUARTER, HOUR, DAY):
        found[span] = []
        for level in LEVELS:
            if running:
                low, high = running[0].bands[span, level]
            else:
                low, high = (one[at] for one in made.bands[span, level])
            found[span].append((np.atleast_1d(low), np.atleast_1d(high)))
    return found


def _edges(ranges: list[tuple[Floats, Floats]], at: int, share: int) -> Iterator[int]:
    for low, high in ranges:
        yield floor(float(low[at]) / share)
        yield ceil(float(high[at]) / share)
