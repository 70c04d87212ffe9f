"""One round of the roster flow: the stores of a zone at an instant, from windows to alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from operators.forecast.context import Weather
from operators.forecast.making import MEASURES, span_of
from operators.forecast.today import Today
from operators.roster.intraday.watch import OpenAlert
from operators.roster.published import Plain
from operators.staffing.day import review_day
from operators.staffing.history import History
from operators.staffing.need import NeedError, TaskDay, staffing_rows, task_days
from operators.staffing.outcome import StaffingOutcome
from operators.staffing.plans import Plan, Told, make_plan, tell
from operators.staffing.shop import Rostered, Shops, rostered
from schemas.chain import Chain
from schemas.forecast_rules import Measure
from schemas.instants import to_datetime, to_micros


@dataclass(frozen=True, slots=True)
class Given:
    """What the flow is told from outside, asked for at each round.

    `rosters` are the published ones by shop, for the days from first to last.
    """

    shops: Callable[[], Shops]
    weather: Callable[[], Sequence[Weather]]
    rosters: Callable[[str, str], Mapping[str, Plain]]


Plans = dict[tuple[str, Measure], Plan]
# Measures of a zone and day that cannot be forecast; asking again each hour would not help.
Hopeless = dict[tuple[str, Measure], date]
Open = dict[str, list[OpenAlert]]


def zone_of(chain: Chain, store: str) -> str:
    """The time zone of a store."""
    place = chain.places.get(store)
    return (place and place.timezone) or chain.timezone


class Round:
    """A round at an instant; it reads the state and changes none: `plans` and `opened` are new."""

    def __init__(self, chain: Chain, given: Given, history: History, at: int) -> None:
        self._chain = chain
        self._given = given
        self._at = at
        self._shops = given.shops()
        since, _ = span_of(chain, to_datetime(at).astimezone(ZoneInfo(chain.timezone)).date())
        self._windows = history.windows(to_micros(since), at)
        self.outcome = StaffingOutcome.empty()
        self.plans: Plans = {}
        self.hopeless: Hopeless = {}
        self.opened: Open = {}

    def run(self, zone: str, plans: Plans, hopeless: Hopeless, opened: Open, *, plan: bool) -> None:
        """The zone's stores; `plan`: make the forecast anew, though there is one of the day."""
        today = to_datetime(self._at).astimezone(ZoneInfo(zone)).date()
        told: dict[Measure, Told] = {}
        fresh = plan
        for measure in MEASURES:
            known = plans.get((zone, measure))
            if plan or known is None or known.today != today:
                if not plan and hopeless.get((zone, measure)) == today:
                    continue
                known = self._planned(zone, measure, today)
                if known is None:
                    continue
                fresh = True
            told[measure] = tell(known, self._windows, self._chain, to_datetime(self._at))
        for one in told.values():
            self.outcome.quarters.extend(one.rows.quarters)
            self.outcome.spans.extend(one.rows.spans)
        if told:
            self._staff(zone, today, told, opened, self._chain.staffing.days if fresh else 1)

    def _planned(self, zone: str, measure: Measure, today: date) -> Plan | None:
        try:
            made = make_plan(
                self._windows, self._chain, self._given.weather(), measure, zone, today
            )
        except ValueError as wrong:
            self.hopeless[zone, measure] = today
            self.outcome.problems.append(f"{zone}, {today}: no forecast of {measure}: {wrong}")
            return None
        self.plans[zone, measure] = made
        return made

    def _staff(
        self, zone: str, today: date, told: Mapping[Measure, Told], opened: Open, days: int
    ) -> None:
        dates = [today + timedelta(days=ahead) for ahead in range(days)]
        rosters = self._given.rosters(*self._shops.span(dates))
        for store in self._shops.names:
            if zone_of(self._chain, store) != zone:
                continue
            for ahead, day in enumerate(dates):
                expected = {
                    measure: one.days[store][ahead]
                    for measure, one in told.items()
                    if store in one.days
                }
                file = self._shops.of(store, day)
                assert file is not None
                there = rostered(file, rosters.get(store), day)
                if isinstance(there, str):
                    self.outcome.problems.append(there)
                    there = None
                needs: list[TaskDay] = []
                for one in task_days(file, day, expected):
                    if isinstance(one, NeedError):
                        self.outcome.problems.append(str(one))
                        continue
                    needs.append(one)
                    rows = staffing_rows(file, one, there, zone, self._at)
                    self.outcome.staffing.extend(rows)
                if ahead == 0:
                    running = {
                        measure: one.today[store]
                        for measure, one in told.items()
                        if store in one.today
                    }
                    self._review(store, day, needs, there, running, opened.get(store, []))

    def _review(
        self,
        store: str,
        day: date,
        needs: Sequence[TaskDay],
        there: Rostered | None,
        running: Mapping[Measure, Today],
        opened: list[OpenAlert],
    ) -> None:
        file = self._shops.of(store, day)
        assert file is not None
        local = to_datetime(self._at).astimezone(ZoneInfo(zone_of(self._chain, store)))
        slot = local.hour * 4 + local.minute // 15
        told, kept = review_day(
            file,
            there,
            needs,
            running,
            opened,
            self._chain.staffing.intraday,
            (day.isoformat(), slot, self._at),
        )
        self.outcome.alerts.extend(told)
        if kept != opened:
            self.opened[store] = kept
