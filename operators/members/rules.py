"""The configuration of members, made ready: windows, days, how late is too late."""

from __future__ import annotations

from datetime import datetime, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

import msgspec

from operators.members.segments import configured
from schemas.chain import Chain
from schemas.instants import DAY_US, HOUR_US, MINUTE_US, to_datetime, to_micros

DAYS_REMEMBERED = 20_000


class RulesError(ValueError):
    """The configuration does not go with the state; the message says what to change."""


class MemberRules:
    """The chain's configuration as members ask for it; times in microseconds."""

    def __init__(self, chain: Chain) -> None:
        config = chain.members
        self.currency = config.currency
        self.least = config.least_amount
        self.frequency_days = config.frequency_days
        self.monetary_days = config.monetary_days
        self.frequency_us = config.frequency_days * DAY_US
        self.visit_gap = round(config.visit_gap_minutes * MINUTE_US)
        self.late_days = config.late_days
        self.late = config.late_days * DAY_US
        self.future = round(config.future_hours * HOUR_US)
        self.most = config.most_purchases
        self.thresholds = configured(config.thresholds)
        self.exact = config.day_count == "exact"
        # A refund counts as long as its purchase does; a calendar day has up to 25 hours.
        self.window = (max(config.frequency_days, config.monetary_days) + 2) * DAY_US
        self.keep = self.window + self.late
        plain = msgspec.structs.replace(config, thresholds=type(config.thresholds)())
        self.fingerprint = crc32(msgspec.json.encode((chain.timezone, plain)))
        self._zone = ZoneInfo(chain.timezone)
        self._days: dict[int, tuple[int, int, int]] = {}

    def day_of(self, time: int) -> int:
        """The number of the calendar day of an instant."""
        return self._day(time)[2]

    def begin_of(self, time: int) -> int:
        """When the calendar day of an instant begins."""
        return self._day(time)[0]

    def _day(self, time: int) -> tuple[int, int, int]:
        known = self._days.get(time // HOUR_US)
        if known is None or not known[0] <= time < known[1]:
            if len(self._days) > DAYS_REMEMBERED:
                self._days.clear()
            day = to_datetime(time).astimezone(self._zone).toordinal()
            known = self._days[time // HOUR_US] = (self.begin(day), self.begin(day + 1), day)
        return known

    def begin(self, day: int) -> int:
        """When a calendar day begins."""
        return to_micros(datetime.fromordinal(day).replace(tzinfo=self._zone))

    def expires(self, time: int, days: float) -> int:
        """When what happened at `time` is no longer within the last so many days."""
        if self.exact:
            return time + round(days * DAY_US)
        return self.begin(self.day_of(time) + int(days) + 1)

    def forgets_before(self, clock: int) -> int:
        """What happened before is not needed any more; the begin of a day, for days are counted."""
        return self.begin(self.day_of(clock - self.keep))

    def days(self, span: int) -> float:
        """A span of time in days."""
        return timedelta(microseconds=span) / timedelta(days=1)
