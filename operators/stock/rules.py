"""The configuration of stock, made ready for the ledger: rules by SKU and place, business days."""

from __future__ import annotations

import re
import zlib
from datetime import datetime, timedelta
from fnmatch import translate
from statistics import NormalDist
from zoneinfo import ZoneInfo

import msgspec

from schemas.chain import AlertRules, Chain, StockRule
from schemas.instants import DAY_US, HOUR_US, to_datetime, to_micros

# Years of history at once need no more; forgetting costs three conversions a day.
DAYS_REMEMBERED = 10_000


class Rule(msgspec.Struct, frozen=True):
    """What applies to one SKU at one place; units, days, and the normal quantile `z`."""

    safety_stock: int
    floor: int
    lead_time_days: float | None
    lead_time_sd_days: float
    z: float
    window_days: int
    alerts: AlertRules


class DayClock:
    """Business days of one zone: which day an instant belongs to and when that day ends."""

    def __init__(self, zone: str, starts: str) -> None:
        self._zone = ZoneInfo(zone)
        hours, minutes = starts.split(":")
        self._starts = timedelta(hours=int(hours), minutes=int(minutes))
        # Business days by the UTC days they reach into: begin, end, number.
        self._known: dict[int, list[tuple[int, int, int]]] = {}

    def day_of(self, time: int) -> tuple[int, int]:
        """The business day of an instant (days since 0001-01-01) and the instant it ends, in us."""
        for begin, end, day in self._known.get(time // DAY_US, ()):
            if begin <= time < end:
                return day, end
        local = to_datetime(time).astimezone(self._zone).replace(tzinfo=None) - self._starts
        day = local.toordinal()
        # Where clocks change, a wall clock time comes twice or not at all: what counts is between
        # which two beginnings the instant lies, and the date is but a first guess.
        while time < (begin := self._begin(day)):
            day -= 1
        while time >= (end := self._begin(day + 1)):
            day, begin = day + 1, end
        if len(self._known) > DAYS_REMEMBERED:
            self._known.clear()
        self._known.setdefault(time // DAY_US, []).append((begin, end, day))
        return day, end

    def end_of(self, day: int) -> int:
        """The instant a business day (days since 0001-01-01) ends, in us."""
        return self._begin(day + 1)

    def _begin(self, day: int) -> int:
        """When a business day begins: 23 or 25 hours before the next at a clock change."""
        midnight = datetime.fromordinal(day)
        return to_micros((midnight + self._starts).replace(tzinfo=self._zone))


class StockRules:
    """The chain's configuration as the ledger asks for it."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        # Snapshots remember under which rules they were made.
        self.fingerprint = zlib.crc32(msgspec.json.encode(chain))
        stock = chain.stock
        self.horizon = round(stock.horizon_hours * HOUR_US)
        self.future = round(stock.future_hours * HOUR_US)
        self.refuse_unknown_places = chain.unknown_places == "refuse"
        # N-day exponential average: weight 2 / (N + 1), as an integer divisor.
        self._window_days = max(1, (stock.demand_days + 1) // 2)
        # `*` matches everything, so it costs no regular expression.
        self._rules = [
            (_matcher(rule.sku), _matcher(rule.place), self._ready(rule)) for rule in stock.rules
        ]
        self._default = self._ready(StockRule())
        self._clocks: dict[str, DayClock] = {}
        self._pools: dict[str, str] = {}

    def _ready(self, rule: StockRule) -> Rule:
        return Rule(
            safety_stock=rule.safety_stock,
            floor=rule.floor,
            lead_time_days=rule.lead_time_days,
            lead_time_sd_days=rule.lead_time_sd_days,
            z=NormalDist().inv_cdf(rule.service_level),
            window_days=self._window_days,
            alerts=self.chain.stock.alerts,
        )

    @property
    def uniform(self) -> Rule | None:
        """The rule of all SKUs at all places, where there is but one."""
        return None if self._rules else self._default

    def rule(self, sku: str, place: str) -> Rule:
        """The first rule that matches, else the default: no safety stock, no floor."""
        for of_sku, of_place, rule in self._rules:
            if (of_sku is None or of_sku.match(sku)) and (
                of_place is None or of_place.match(place)
            ):
                return rule
        return self._default

    def knows(self, place: str) -> bool:
        """Whether events of the place are accepted."""
        return not self.refuse_unknown_places or place in self.chain.places

    def pool(self, place: str) -> str:
        """The pool a place belongs to."""
        known = self._pools.get(place)
        if known is None:
            listed = self.chain.places.get(place)
            known = (listed and listed.pool) or self.chain.default_pool
            self._pools[place] = known
        return known

    def day_clock(self, place: str) -> DayClock:
        """The business days of a place; places of one zone share them."""
        listed = self.chain.places.get(place)
        zone = (listed and listed.timezone) or self.chain.timezone
        clock = self._clocks.get(zone)
        if clock is None:
            clock = self._clocks[zone] = DayClock(zone, self.chain.business_day_starts)
        return clock


def _matcher(pattern: str) -> re.Pattern[str] | None:
    return None if pattern == "*" else re.compile(translate(pattern))
