"""The week that `tillflow roster plan` is about: its people, its forecast, what went before.

This loads the forecast's libraries, which takes a second: the command imports it when it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infra.forecast_inputs import Inputs, rows_at
from operators.footfall.facts import QUARTER_US
from operators.forecast.rows import Rows
from operators.roster.published import PublishedRows
from operators.staffing.before import WEEKS_BACK, went_before
from operators.staffing.need import staffing_rows
from operators.staffing.round import zone_of
from operators.staffing.shop import rostered
from operators.staffing.week import Week, WeekError, expected_of, measures_of, week_of
from schemas.chain import Chain
from schemas.instants import to_datetime, to_micros
from schemas.roster import RosterFile
from schemas.roster_tables import STAFFING_15M
from sinks.forecast.table import newest_window, read_forecast, write_forecasts
from sinks.roster.published import publish, read_published
from sinks.warehouse.address import Target
from sinks.warehouse.client import Warehouse, open_reader
from sinks.warehouse.tuple_rows import rows_table

# So many days are forecast at most, the day it is made on among them.
MOST_DAYS = 28


class Wanted(NamedTuple):
    """What a week is planned from; `people` has its first day and its days."""

    people: RosterFile
    chain: Chain
    warehouse: Target
    weather: Path | None
    now: datetime
    at: datetime | None
    fresh: bool

    @property
    def zone(self) -> str:
        """Time zone of the shop."""
        return zone_of(self.chain, self.people.shop)

    @property
    def days(self) -> tuple[date, date]:
        """First and last day."""
        first = self.people.first_day
        return first, first + timedelta(days=self.people.days - 1)


class Planned(NamedTuple):
    """A week with its need; `made` is the forecast where it was made for it."""

    week: Week
    made: Sequence[Rows]
    at: datetime
    words: str


def planned(wanted: Wanted) -> Planned:
    """The week with the heads it needs, by the forecast of the warehouse or one made now.

    Raises:
        WeekError: there is no forecast of it, or no need follows from it.
        WarehouseError, SettingsError, ForecastFileError, ValueError: as `forecast next`.
    """
    first, last = wanted.days
    before = first - timedelta(weeks=WEEKS_BACK)
    reader = open_reader(wanted.warehouse)
    try:
        rosters = read_published(reader, before.isoformat(), last.isoformat())
        quarters, made_at = read_forecast(reader, wanted.people.shop, first, last)
        newest = newest_window(reader)
    finally:
        reader.close()
    people = went_before(wanted.people, rosters.get(wanted.people.shop))
    expected = expected_of(quarters)
    measures = measures_of(people)
    every = [first + timedelta(days=ahead) for ahead in range(people.days)]
    whole = all(one in expected.get(day, {}) for day in every for one in measures)
    if whole and made_at is not None and not wanted.fresh:
        words = f"the forecast of {_local(made_at, wanted.zone)} in the warehouse"
        return Planned(week_of(people, expected), (), wanted.at or wanted.now, words)
    if newest is None:
        msg = "the warehouse has no final windows: run tillflow run footfall first"
        raise WeekError(msg)
    at = wanted.at or _usual_instant(wanted, newest)
    made = _forecast(wanted, measures, at)
    found = [row for rows in made for row in rows.quarters if row[0] == people.shop]
    week = week_of(people, expected_of((row[1], row[4], row[3], row[5]) for row in found))
    return Planned(week, made, at, f"a forecast made as of {_local(at, wanted.zone)}")


def _usual_instant(wanted: Wanted, newest: int) -> datetime:
    """Now, or when the week begins, or the end of what is known: whichever is first."""
    first = wanted.people.first_day
    begins = datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(wanted.zone))
    return min(wanted.now, begins.astimezone(UTC), to_datetime(newest + QUARTER_US))


def _forecast(wanted: Wanted, measures: Sequence[str], at: datetime) -> list[Rows]:
    first, last = wanted.days
    begins = datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(wanted.zone))
    if at > begins:
        msg = (
            f"the week begins on {first}, before {_local(at, wanted.zone)}: give --at no later "
            "than its first morning, to plan with what was known then"
        )
        raise WeekError(msg)
    today = at.astimezone(ZoneInfo(wanted.chain.timezone)).date()
    ahead = (last - today).days + 1
    if ahead > MOST_DAYS:
        msg = (
            f"{last} is {ahead - 1} days after {today}, the last day with windows or that of "
            f"--at: forecasts reach {MOST_DAYS - 1} days"
        )
        raise WeekError(msg)
    inputs = Inputs(wanted.warehouse, None, wanted.weather, measures, (), 1)
    return rows_at(inputs, wanted.chain, at, ahead, [wanted.people.shop], scout=False)


def publish_week(wanted: Wanted, plan: Planned, rows: PublishedRows, days: Sequence[str]) -> None:
    """Write the forecast where it was made, the roster, and the need beside it.

    Raises:
        WarehouseError: the warehouse cannot be used, or holds a roster published later.
    """
    file, first, last = plan.week.file, *wanted.days
    published_at = to_micros(wanted.at or wanted.now)
    if plan.made:
        write_forecasts(wanted.warehouse, plan.made)
    publish(wanted.warehouse, rows, file.shop, days, published_at)
    reader = open_reader(wanted.warehouse)
    try:
        plain = read_published(reader, first.isoformat(), last.isoformat()).get(file.shop)
    finally:
        reader.close()
    staffing: list[tuple[object, ...]] = []
    for one in plan.week.needs:
        there = rostered(file, plain, one.need.date)
        if isinstance(there, str):
            raise WeekError(there)
        staffing += staffing_rows(file, one, there, wanted.zone, to_micros(plan.at))
    warehouse = Warehouse(wanted.warehouse)
    try:
        warehouse.upsert(STAFFING_15M, rows_table(STAFFING_15M, staffing))
    finally:
        warehouse.close()


def _local(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
