"""Puts a forecast together: windows, configuration and weather in, one panel a measure out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from operators.footfall.facts import QUARTER_US
from operators.forecast.context import Context, Weather
from operators.forecast.engine import CHEAP
from operators.forecast.intraday import reason
from operators.forecast.origin import Columns
from operators.forecast.panel import Panel
from operators.forecast.plan import Forecast, Settings, forecast
from operators.forecast.rows import Rows, Stamp, rows_of
from operators.forecast.today import Today, running
from operators.forecast.windows import Place, Windows, open_ahead, panel_of
from schemas.chain import Chain
from schemas.forecast_rules import Measure
from schemas.instants import to_datetime, to_micros

Floats = NDArray[np.float64]

MEASURES: tuple[Measure, ...] = ("entries", "orders")


@dataclass(frozen=True, slots=True)
class Ready:
    """A panel whose last day is `today`, and what is known of its days and those ahead.

    `known_until` is the end of the last window it rests on, in microseconds since 1970.
    """

    panel: Panel
    today: date
    context: Context
    known_until: int

    @property
    def places(self) -> list[Place]:
        """The stores."""
        return self.context.places

    @property
    def past(self) -> Panel:
        """The days before today."""
        return self.panel.until(self.panel.days - 1)


def span_of(chain: Chain, today: date) -> tuple[datetime, datetime]:
    """Between which instants the windows lie that a forecast from that day on may use."""
    zone = ZoneInfo(chain.timezone)
    begin = datetime(today.year, today.month, today.day, tzinfo=zone)
    # Stores of other zones begin their day up to a day earlier or later.
    return begin - timedelta(days=chain.forecast.history_days + 1), begin + timedelta(days=2)


def prepare(
    windows: Windows,
    chain: Chain,
    weather: Sequence[Weather],
    measure: Measure,
    today: date,
    ahead: int,
) -> Ready:
    """The panel of all stores that have windows of this measure, up to and with today.

    Raises:
        ValueError: there are no windows, or none of a day before.
    """
    good = good_of(windows, measure)
    if not good.any():
        msg = f"there are no final windows with {measure}: run tillflow run footfall first"
        raise ValueError(msg)
    stores = sorted(windows.names[at] for at in np.unique(windows.store[good]))
    oldest = to_datetime(int(windows.quarter[good].min()) * QUARTER_US)
    begun = oldest.astimezone(ZoneInfo(chain.timezone)).date()
    first = max(begun, today - timedelta(days=chain.forecast.history_days))
    days = (today - first).days
    if days < 1:
        msg = f"the oldest window is of {begun}: there is nothing to learn from before {today}"
        raise ValueError(msg)
    context = Context(chain, stores, first, days + ahead, weather)
    panel = panel_of(windows, measure, context.places, first, days + 1, chain.forecast.masks)
    known_until = (int(windows.quarter[good].max()) + 1) * QUARTER_US
    return Ready(panel, today, context, known_until)


def good_of(windows: Windows, measure: Measure) -> NDArray[np.bool_]:
    """Where the figures of a measure are good."""
    return windows.doors if measure == "entries" else windows.tills


def make(
    ready: Ready, ahead: int, windows: int, models: Sequence[str], *, scout: bool, jobs: int
) -> Forecast:
    """The forecast of today and the days after it, from the days before today.

    With `scout` models that take long are tried on some stores, and on all where that pays.
    """
    past = ready.past
    return forecast(
        past,
        ready.context.kinds,
        ready.context.outlook,
        open_ahead(past, ready.places, ahead),
        Settings(
            ahead=ahead,
            windows=windows,
            models=(*CHEAP, *(name for name in models if name not in CHEAP)),
            jobs=jobs,
            scouting=scout,
        ),
    )


def told(
    ready: Ready, made: Forecast, measure: Measure, at: datetime
) -> tuple[Rows, dict[int, tuple[Today, str]]]:
    """The rows at an instant: what has come of today is in them, with its reason."""
    found: dict[int, tuple[Today, str]] = {}
    counts, seen = ready.panel.counts[:, -1], ready.panel.exposure[:, -1]
    what = "people" if measure == "entries" else "orders"
    for store, place in enumerate(ready.places):
        local = at.astimezone(ZoneInfo(place.zone))
        days = (local.date() - ready.today).days
        now = 0 if days < 0 else 96 if days > 0 else local.hour * 4 + local.minute // 15
        # A window that is not final yet was not seen: it is neither over nor known.
        final = np.flatnonzero(seen[store][:now])
        now = int(final[-1]) + 1 if len(final) else 0
        if now:
            one = running(made, store, counts[store], seen[store], now)
            clock = f"{now // 4:02d}:{now % 4 * 15:02d}"
            found[store] = (one, reason(one.update, clock, what))
    stamp = Stamp(to_micros(at), ready.known_until)
    return rows_of(made, measure, ready.places, stamp, found), found


def tested_columns(ready: Ready) -> Columns:
    """What is known of the past days, for a backtest of single days."""
    return Columns(ready.context.outlook, ready.past.days, 1)
