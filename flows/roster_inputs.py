"""What the roster flow asks for from outside: windows, published rosters, roster files, weather."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from flows.settings import SettingsError
from operators.footfall.facts import QUARTER_US
from operators.forecast.context import Weather
from operators.roster.published import Plain
from operators.staffing.facts import PANEL, WindowBatch, WindowFact
from operators.staffing.round import Given
from schemas.chain import Chain
from schemas.instants import DAY_US, HOUR_US, to_datetime, to_micros
from schemas.roster_file import RosterProblem
from sinks.roster.published import read_published, reading
from sinks.roster.windows import newest_start, window_facts
from sinks.warehouse.address import Target
from sources.forecast_files import ForecastFileError, read_weather
from sources.roster_files import RosterFiles

LOG = logging.getLogger("tillflow.roster")
# What came late for windows that were read already is read by the next run, so far back; a run that
# goes on looks that far back each time.
READ_AGAIN_US, LOOK_BACK_US = 7 * DAY_US, 6 * HOUR_US
LOOK_EVERY = timedelta(seconds=30)


def given(chain: Chain, config: Path | None, target: Target) -> Given:
    """The roster files and the weather of the configuration, the warehouse's rosters.

    Raises:
        SettingsError: one of the files is not there, or is none.
    """
    folder = (config or Path()).parent
    files = RosterFiles(chain.staffing.shops, folder)
    weather = folder / chain.staffing.weather if chain.staffing.weather else None
    newest: list[Weather] = []

    def published(first: str, last: str) -> Mapping[str, Plain]:
        with reading(target) as reader:
            return read_published(reader, first, last)

    def forecasts() -> Sequence[Weather]:
        try:
            newest[:] = [] if weather is None else read_weather(weather)
        except ForecastFileError as wrong:
            # Somebody may be writing it: what was known before is better than nothing.
            LOG.warning("the weather stays as it was: %s", wrong)
        return newest

    try:
        files.check()
        if weather is not None:
            read_weather(weather)
    except (RosterProblem, ForecastFileError) as wrong:
        raise SettingsError(str(wrong)) from wrong
    return Given(files.shops, forecasts, published)


def past_windows(target: Target, days: int) -> Iterable[WindowFact]:
    """What the warehouse has of so many days before its newest window."""
    with reading(target) as reader:
        yield from window_facts(reader, max(newest_start(reader) - (days + 3) * DAY_US, 0))


def last_midnight(chain: Chain, target: Target) -> int:
    """When the day of the warehouse's newest window began, in the chain's zone."""
    with reading(target) as reader:
        newest = to_datetime(newest_start(reader)).astimezone(ZoneInfo(chain.timezone))
    return to_micros(newest.replace(hour=0, minute=0, second=0, microsecond=0))


class _Windows(StatefulSourcePartition[WindowBatch, int]):
    """Hands over a day of windows at a time; its state is the quarter after the last one."""

    def __init__(self, target: Target, stop: Event, position: int, *, follow: bool) -> None:
        self._target = target
        self._stop = stop
        self._follow = follow
        self._position = position
        self._days = self._read(position * QUARTER_US - READ_AGAIN_US)
        self._awake: datetime | None = None

    def _read(self, since: int) -> Iterator[list[WindowFact]]:
        with reading(self._target) as reader:
            facts = window_facts(reader, max(since, 0))
            for _, day in groupby(facts, lambda fact: fact.quarter // 96):
                yield list(day)

    def next_batch(self) -> Iterable[WindowBatch]:
        """A day of windows; StopIteration ends the input."""
        if self._stop.is_set():
            raise StopIteration
        if self._awake is not None and datetime.now(UTC) < self._awake:
            return []
        self._awake = None
        facts = next(self._days, None)
        if facts is None:
            if not self._follow:
                raise StopIteration
            self._awake = datetime.now(UTC) + LOOK_EVERY
            self._days = self._read(self._position * QUARTER_US - LOOK_BACK_US)
            return []
        self._position = max(self._position, facts[-1].quarter + 1)
        return [WindowBatch(PANEL, facts)]

    def next_awake(self) -> datetime | None:
        """When to be asked again after nothing was there; soon enough to stop when asked to."""
        if self._awake is None or self._stop.is_set():
            return None
        return min(self._awake, datetime.now(UTC) + timedelta(milliseconds=100))

    def snapshot(self) -> int:
        """Where to resume."""
        return self._position

    def close(self) -> None:
        """Nothing is kept open."""


class WarehouseWindows(FixedPartitionedSource[WindowBatch, int]):
    """footfall_15m of the warehouse as a source of windows, in the order of time."""

    def __init__(self, target: Target, stop: Event, *, follow: bool = False) -> None:
        self._target = target
        self._stop = stop
        self._follow = follow

    def list_parts(self) -> list[str]:
        """The one partition."""
        return ["footfall_15m"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> _Windows:
        """The table, from where it was left off."""
        return _Windows(self._target, self._stop, resume_state or 0, follow=self._follow)
