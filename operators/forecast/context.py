"""What is known ahead, from the chain's configuration and a table of weather forecasts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from operators.footfall.rules import FootfallRules
from operators.forecast.days import DayKind, day_kinds
from operators.forecast.features import Known, campaign_age
from operators.forecast.windows import Place
from schemas.chain import Chain

Floats = NDArray[np.float64]


class Weather(NamedTuple):
    """A forecast of a day, issued so many days before it (0 or less: how it really was)."""

    place: str
    day: date
    lead: int
    rain_mm: float
    high_c: float


class Context:
    """The days from `first` on for `stores`, as a forecast sees them."""

    def __init__(
        self,
        chain: Chain,
        stores: Sequence[str],
        first: date,
        days: int,
        weather: Iterable[Weather] = (),
    ) -> None:
        config = chain.forecast
        self.first, self.days = first, days
        self.kinds: list[DayKind] = day_kinds(config.country, first, days)
        rules = FootfallRules(chain)
        self.places = [
            Place(name, _zone(chain, name), _kind(chain, name)[0], rules.times(name))
            for name in stores
        ]
        self._campaign_kinds = tuple(sorted({one.kind for one in config.campaigns}))
        self._campaigns = np.zeros((len(stores), days, len(self._campaign_kinds)))
        for campaign in config.campaigns:
            at = self._campaign_kinds.index(campaign.kind)
            mine = _matching(stores, campaign.store)
            self._campaigns[mine, self._span(campaign.first, campaign.last), at] = 1
        self._school = np.zeros((len(stores), days))
        for holiday in config.school_holidays:
            mine = _matching(stores, holiday.store)
            self._school[mine, self._span(holiday.first, holiday.last)] = 1
        self._ages = campaign_age(self._campaigns)
        self._weather = list(weather)
        self._weather_at = [_kind(chain, name)[1] for name in stores]
        self._by_lead: dict[int, tuple[Floats, Floats]] = {}

    def outlook(self, start: int, end: int, lead: int) -> Known:
        """What was known of days `start` to `end` so many days before each of them."""
        if lead not in self._by_lead:
            self._by_lead[lead] = self._weather_known(lead)
        rain, high = self._by_lead[lead]
        return Known(
            kinds=self.kinds[start:end],
            rain_mm=rain[:, start:end],
            high_c=high[:, start:end],
            school_holiday=self._school[:, start:end],
            campaigns=self._campaigns[:, start:end],
            campaign_age=self._ages[:, start:end],
            campaign_kinds=self._campaign_kinds,
        )

    def _span(self, first: date, last: date) -> slice:
        start = max((first - self.first).days, 0)
        return slice(start, max((last - self.first).days + 1, start))

    def _weather_known(self, lead: int) -> tuple[Floats, Floats]:
        """The newest forecast that was there `lead` days before; a later one only without it.

        A day of which no forecast was kept is taken as it was: better than dry and mild.
        """
        places = sorted({one.place for one in self._weather})
        number = {name: at for at, name in enumerate(places)}
        rain = np.full((len(places) + 1, self.days), np.nan)
        high = rain.copy()
        best = np.full(rain.shape, np.iinfo(np.int64).max, dtype=np.int64)
        for one in self._weather:
            day = (one.day - self.first).days
            if not 0 <= day < self.days:
                continue
            at = number[one.place]
            # Forecasts of that time or older in order of age, then those that came too late.
            rank = one.lead - lead if one.lead >= lead else 10_000 + lead - one.lead
            if rank < best[at, day]:
                best[at, day] = rank
                rain[at, day], high[at, day] = one.rain_mm, one.high_c
        which = np.array([number.get(name, len(places)) for name in self._weather_at], dtype=int)
        return rain[which], high[which]


def _zone(chain: Chain, store: str) -> str:
    listed = chain.places.get(store)
    return (listed and listed.timezone) or chain.timezone


def _kind(chain: Chain, store: str) -> tuple[str, str]:
    for rule in chain.forecast.stores:
        if fnmatchcase(store, rule.store):
            return rule.group, rule.weather_at
    return "", ""


def _matching(stores: Sequence[str], pattern: str) -> list[int]:
    return [at for at, name in enumerate(stores) if fnmatchcase(name, pattern)]
