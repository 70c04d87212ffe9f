"""The configuration of footfall, made ready: opening hours, local time, what service takes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from fnmatch import translate
from typing import NamedTuple
from zoneinfo import ZoneInfo

from operators.footfall.facts import QUARTER_US
from operators.footfall.silence import Silence
from operators.stock.rules import DayClock
from schemas.chain import Chain
from schemas.footfall_rules import OpeningHours, ServiceRate, TimeOfDay
from schemas.instants import DAY_US, HOUR_US, MINUTE_US, to_datetime, to_micros

# Windows whose local names are kept at hand; a year of one zone.
NAMES_REMEMBERED = 36_000
DAYS_REMEMBERED = 4_000


class LocalNames(NamedTuple):
    """A window in local words: its begin, and the business day as text and as a number."""

    start: str
    day: str
    day_number: int


class StoreTimes:
    """Local time and opening hours of a store; stores of one zone and rules may share them."""

    def __init__(self, zone: str, clock: DayClock, starts: str, hours: tuple[OpeningHours, ...]):
        self._zone = ZoneInfo(zone)
        self._clock = clock
        self._starts = _minutes(starts)
        self._hours = hours
        self._names: dict[int, LocalNames] = {}
        self._open: dict[int, tuple[int, int]] = {}

    @property
    def has_hours(self) -> bool:
        """Whether opening hours are known."""
        return bool(self._hours)

    def day_of(self, time: int) -> int:
        """The number of the business day an instant belongs to."""
        return self._clock.day_of(time)[0]

    def names(self, window: int) -> LocalNames:
        """A window's local begin and business day."""
        known = self._names.get(window)
        if known is None:
            if len(self._names) > NAMES_REMEMBERED:
                self._names.clear()
            start = window * QUARTER_US
            local = to_datetime(start).astimezone(self._zone)
            day = self.day_of(start)
            named = datetime.fromordinal(day).date().isoformat()
            known = LocalNames(local.isoformat(timespec="minutes"), named, day)
            self._names[window] = known
        return known

    def is_open(self, window: int) -> bool:
        """Whether any of a window is inside the opening hours."""
        start = window * QUARTER_US
        day = self.names(window).day_number
        for each in (day, day - 1):
            opens, closes = self._opening(each)
            if start < closes and start + QUARTER_US > opens:
                return True
        return False

    def _opening(self, day: int) -> tuple[int, int]:
        """From when to when the store is open on a business day; twice the same: it is not."""
        known = self._open.get(day)
        if known is None:
            if len(self._open) > DAYS_REMEMBERED:
                self._open.clear()
            known = self._open[day] = self._judge(day)
        return known

    def _judge(self, day: int) -> tuple[int, int]:
        date = datetime.fromordinal(day)
        for rule in self._hours:
            if rule.weekdays and date.isoweekday() not in rule.weekdays:
                continue
            if rule.dates and date.date() not in rule.dates:
                continue
            if rule.closed:
                break
            opens, closes = _minutes(rule.opens), _minutes(rule.closes)
            if opens == closes:
                opens = closes = self._starts
            if opens < self._starts:
                opens, closes = opens + 1440, closes + 1440
            if closes <= opens:
                closes += 1440
            return self._at(date, opens), self._at(date, closes)
        return 0, 0

    def _at(self, date: datetime, minutes: int) -> int:
        return to_micros((date + timedelta(minutes=minutes)).replace(tzinfo=self._zone))


class FootfallRules:
    """The chain's configuration as footfall asks for it; times in microseconds."""

    def __init__(self, chain: Chain) -> None:
        config = chain.footfall
        self._chain = chain
        self.delay = round(config.delay_minutes * MINUTE_US)
        self.late = round(config.late_hours * HOUR_US)
        self.apart = max(self.late, round(config.apart_hours * HOUR_US))
        self.future = round(config.future_hours * HOUR_US)
        self.rate_days = config.rate_days
        self.silence = Silence(
            probability=config.silence.probability,
            regular_share=config.silence.regular_share,
            history=config.silence.forget_days * DAY_US // QUARTER_US,
            ahead=-(-self.late // QUARTER_US),
        )
        # So long the status of a window may still change after its last figure has.
        self.settling = self.silence.ahead * QUARTER_US
        # As many windows as any judgement needs, and so many are remembered.
        self.remembered = -(-self.apart // QUARTER_US) + self.silence.ahead
        self.remembered += 2 * self.silence.history + 4
        self._clocks: dict[str, DayClock] = {}
        self._times: dict[tuple[str, tuple[OpeningHours, ...]], StoreTimes] = {}
        self._stores: dict[str, StoreTimes] = {}
        self._hours = [(_matcher(rule.store), rule) for rule in config.hours]
        self._rates = [(_matcher(one.store), _matcher(one.task), one) for one in config.rates]
        self._known_rates: dict[tuple[str, str], ServiceRate | None] = {}

    def knows(self, store: str) -> bool:
        """Whether events of the store are accepted."""
        return self._chain.unknown_places == "accept" or store in self._chain.places

    def times(self, store: str) -> StoreTimes:
        """Local time and opening hours of a store."""
        known = self._stores.get(store)
        if known is None:
            hours = tuple(rule for matches, rule in self._hours if matches.match(store))
            listed = self._chain.places.get(store)
            zone = (listed and listed.timezone) or self._chain.timezone
            known = self._times.get((zone, hours))
            if known is None:
                known = StoreTimes(zone, self._clock(zone), self._chain.business_day_starts, hours)
                self._times[(zone, hours)] = known
            self._stores[store] = known
        return known

    def rate(self, store: str, task: str) -> ServiceRate | None:
        """The expected service times that are configured; None where they are to be measured."""
        key = (store, task)
        if key not in self._known_rates:
            self._known_rates[key] = next(
                (
                    rate
                    for of_store, of_task, rate in self._rates
                    if of_store.match(store) and of_task.match(task)
                ),
                None,
            )
        return self._known_rates[key]

    def _clock(self, zone: str) -> DayClock:
        clock = self._clocks.get(zone)
        if clock is None:
            clock = self._clocks[zone] = DayClock(zone, self._chain.business_day_starts)
        return clock


def _minutes(time: TimeOfDay) -> int:
    """Minutes since midnight."""
    if isinstance(time, int):
        return time
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _matcher(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))
