"""What the forecast commands read, and the forecast of an instant from it.

This loads the forecast's libraries, which takes a second: commands import it when they run.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flows.settings import SettingsError
from operators.footfall.facts import QUARTER_US
from operators.forecast.context import Weather
from operators.forecast.making import MEASURES, good_of, make, prepare, span_of, told
from operators.forecast.rows import Rows
from operators.forecast.windows import Windows
from schemas.chain import Chain
from schemas.forecast_rules import Measure
from schemas.instants import SECOND_US, to_datetime
from sinks.forecast.table import newest_window, read_windows, windows_of
from sinks.warehouse.address import Target, WarehouseError
from sinks.warehouse.client import open_reader
from sources.forecast_files import ForecastFileError, read_weather, read_window_file

EXPECTED = (SettingsError, WarehouseError, ForecastFileError, ValueError)
QUARTER = timedelta(minutes=15)


class Inputs(NamedTuple):
    """Where a forecast comes from; `windows` is a file in place of the warehouse."""

    warehouse: Target
    windows: Path | None
    weather: Path | None
    measures: Sequence[str]
    models: Sequence[str]
    jobs: int

    def read(self, chain: Chain, today: date, now: datetime | None = None) -> Windows:
        """Windows of the history and of today; with `now` those that were over by then."""
        since, until = span_of(chain, today)
        if now is not None:
            until = min(until, now - QUARTER + timedelta(microseconds=1))
        if self.windows is None:
            reader = open_reader(self.warehouse)
            try:
                return read_windows(reader, since, until)
            finally:
                reader.close()
        found = read_window_file(self.windows)
        quarter = found["quarter"].to_numpy()
        length = QUARTER_US // SECOND_US
        first, end = (-(-one.timestamp() // length) for one in (since, until))
        return windows_of(found.filter((quarter >= first) & (quarter < end)))

    def forecasts(self) -> list[Weather]:
        """The weather, as far as there is a file of it."""
        return [] if self.weather is None else read_weather(self.weather)

    def newest_day(self, chain: Chain) -> date:
        """The day of the newest window: the first that is not complete.

        Raises:
            ValueError: there are no windows.
        """
        if self.windows is not None:
            quarters = read_window_file(self.windows)["quarter"].to_numpy()
            newest = int(quarters.max()) * QUARTER_US if len(quarters) else None
        else:
            reader = open_reader(self.warehouse)
            try:
                newest = newest_window(reader)
            finally:
                reader.close()
        if newest is None:
            raise ValueError(self._nothing())
        return to_datetime(newest).astimezone(ZoneInfo(chain.timezone)).date()

    def there(self, found: Windows) -> list[Measure]:
        """Those of the wanted measures that the windows have; a file may have but one.

        Raises:
            ValueError: they have none of them.
        """
        there = [one for one in MEASURES if one in self.measures and good_of(found, one).any()]
        if not there:
            raise ValueError(self._nothing())
        return there

    def _nothing(self) -> str:
        wanted = " or ".join(self.measures)
        return f"there are no final windows with {wanted}: run tillflow run footfall first"


def rows_at(
    inputs: Inputs, chain: Chain, now: datetime, days: int, stores: Sequence[str], *, scout: bool
) -> list[Rows]:
    """The forecast at an instant: of its day and those after it, one for each measure.

    Raises:
        ValueError: there is nothing to forecast from, or nothing of one of `stores`.
    """
    today = now.astimezone(ZoneInfo(chain.timezone)).date()
    found = inputs.read(chain, today, now)
    unknown = sorted(set(stores) - set(found.names))
    rows = []
    for measure in inputs.there(found):
        if unknown:
            some = ", ".join(found.names[:5])
            msg = f"no windows of {', '.join(unknown)}; there are some of {some}"
            raise ValueError(msg)
        ready = prepare(found, chain, inputs.forecasts(), measure, today, days)
        windows = chain.forecast.windows
        made = make(ready, days, windows, inputs.models, scout=scout, jobs=inputs.jobs)
        rows.append(told(ready, made, measure, now)[0])
    return rows
