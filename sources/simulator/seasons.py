"""Days: the week, holidays, weather, campaigns and what is left unexplained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sources.simulator import exact
from sources.simulator.places import City, Site
from sources.simulator.settings import Settings, SpecialDay
from sources.simulator.streams import stream

# How much of today's weather is yesterday's; rain comes in spells.
PERSISTENCE = 0.4
CAMPAIGN_DAYS = 2


def _days(kind: str, *spans: tuple[str, int]) -> list[tuple[date, str]]:
    """Days of one kind from (first day, how many) spans."""
    return [
        (date.fromisoformat(first) + timedelta(days=number), kind)
        for first, count in spans
        for number in range(count)
    ]


# The State Council's notice of 4 November 2025 on the holidays of 2026.
CHINA_2026: dict[date, str] = dict(
    _days(
        "holiday",
        *(("2026-01-01", 3), ("2026-02-15", 9), ("2026-04-04", 3), ("2026-05-01", 5)),
        *(("2026-06-19", 3), ("2026-09-25", 3), ("2026-10-01", 7)),
    )
    + _days(
        "moved_working_day",
        *(("2026-01-04", 1), ("2026-02-14", 1), ("2026-02-28", 1), ("2026-05-09", 1)),
        *(("2026-09-20", 1), ("2026-10-10", 1)),
    )
)


@dataclass(frozen=True, slots=True)
class Weather:
    """A city's day. `forecast` is the chance of rain as it was given the day before."""

    wet: bool
    forecast: float


@dataclass(frozen=True, slots=True)
class Campaign:
    """A promotion of one category."""

    first: date
    days: int
    category: str


@dataclass(frozen=True, slots=True)
class Flash:
    """A flash sale: many carts for one SKU within minutes. `hour` is local, with its fraction."""

    city: int
    day: date
    hour: float
    sku: int


@dataclass(frozen=True, slots=True)
class DayFactors:
    """What multiplies a shop's footfall on a day, one by one."""

    week: float
    special: float
    weather: float
    campaign: float
    shock: float

    @property
    def total(self) -> float:
        """All of them together."""
        return self.week * self.special * self.weather * self.campaign * self.shock


class Seasons:
    """The days of a run. Every city, shop and the campaigns have streams of their own."""

    def __init__(self, settings: Settings, cities: list[City]) -> None:
        self._settings = settings
        self.days = [settings.start + timedelta(days=number) for number in range(settings.days)]
        given: tuple[SpecialDay, ...] | None = settings.special_days
        self.special = (
            CHINA_2026 if given is None else {special.date: special.kind for special in given}
        )
        self.weather = {city.index: self._weather(city) for city in cities}
        self.campaigns = self._campaigns()
        self.flashes = [flash for city in cities for flash in self._flashes(city)]

    def promoted(self, day: date) -> str | None:
        """The category that is promoted on a day."""
        for campaign in self.campaigns:
            if campaign.first <= day < campaign.first + timedelta(days=campaign.days):
                return campaign.category
        return None

    def footfall(self, shop: Site, day: date) -> DayFactors:
        """The factors of one shop's day; their mean over an average week is near 1."""
        trade = self._settings.trade
        week, special = self._week(day)
        shock = exact.lognormal(
            stream(self._settings.seed, "shock", shop.name, day), trade.shock_spread
        )
        return DayFactors(
            week=week,
            special=special,
            weather=trade.wet_factor if self.weather[shop.city.index][day].wet else 1.0,
            campaign=trade.campaign_factor if self.promoted(day) else 1.0,
            shock=shock,
        )

    def online(self, city: City, day: date) -> float:
        """What multiplies a city's carts on a day."""
        trade = self._settings.trade
        weather = trade.wet_online_factor if self.weather[city.index][day].wet else 1.0
        return weather * (trade.campaign_online_factor if self.promoted(day) else 1.0)

    def _week(self, day: date) -> tuple[float, float]:
        """The factor of the day of the week and that of a special day.

        A holiday is a busy Saturday; a weekend day that is worked is like the other working days.
        """
        week = self._settings.trade.week
        kind = self.special.get(day)
        if kind == "holiday":
            return week[5], self._settings.trade.holiday_factor
        if kind == "moved_working_day":
            return exact.total(week[:4]) / 4, 1.0
        return week[day.weekday()], 1.0

    def _weather(self, city: City) -> dict[date, Weather]:
        """A two-state chain whose long-run share of wet days is the set one."""
        rng = stream(self._settings.seed, "weather", city.index)
        share = self._settings.trade.wet_share
        wet = rng.random() < share
        days = {}
        for day in self.days:
            forecast = 0.15 + 0.7 * wet + 0.3 * (rng.random() - 0.5)
            days[day] = Weather(wet, min(1.0, max(0.0, forecast)))
            wet = rng.random() < share * (1 - PERSISTENCE) + (PERSISTENCE if wet else 0.0)
        return days

    def _flashes(self, city: City) -> list[Flash]:
        """At most one a city and day, of an SKU that sells well but not best."""
        share = self._settings.online.flashes_per_city_week / 7.0
        skus = self._settings.skus
        flashes = []
        for day in self.days:
            rng = stream(self._settings.seed, "flash", city.name, day)
            if rng.random() < share:
                sku = int(skus * (0.05 + 0.3 * rng.random()))
                flashes.append(Flash(city.index, day, 10.0 + 11.0 * rng.random(), sku))
        return flashes

    def _campaigns(self) -> list[Campaign]:
        """Campaigns one after the other, never two at once."""
        rng = stream(self._settings.seed, "campaigns")
        campaigns: list[Campaign] = []
        free = self._settings.start
        for day in self.days:
            starts = rng.random() < self._settings.trade.campaigns_per_week / 7.0
            category = rng.choice(self._settings.goods.categories).name
            if starts and day >= free:
                campaigns.append(Campaign(day, CAMPAIGN_DAYS, category))
                free = day + timedelta(days=CAMPAIGN_DAYS)
        return campaigns
