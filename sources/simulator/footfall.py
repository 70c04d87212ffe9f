"""How many people come in: a Poisson process whose intensity is known quarter by quarter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sources.simulator import exact
from sources.simulator.instants import QUARTER_MS, SECOND_MS, local_ms
from sources.simulator.places import Site
from sources.simulator.seasons import DayFactors, Seasons
from sources.simulator.settings import Settings
from sources.simulator.streams import stream


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter of an hour of one shop; `intensity` is the mean number of people who come in."""

    start_ms: int
    intensity: float
    profile: float  # this quarter's share of an average day


@dataclass(frozen=True, slots=True)
class ShopHours:
    """One shop's day: when it is open and how many people it may expect."""

    day: date
    opens_ms: int
    closes_ms: int
    factors: DayFactors
    quarters: tuple[Quarter, ...]


class Footfall:
    """Intensities and arrivals. A shop's day has a stream of its own."""

    def __init__(self, settings: Settings, seasons: Seasons) -> None:
        self._settings = settings
        self._seasons = seasons

    def hours(self, site: Site, day: date) -> ShopHours:
        """The intensity of every open quarter: level x profile of the day x factors of the day."""
        shop = site.shop
        assert shop is not None
        zone = site.city.zone
        opens_ms = local_ms(zone, day, shop.opens)
        closes_ms = local_ms(zone, day, shop.closes)
        weights = [self._weight(site, quarter / 4) for quarter in range(shop.opens, shop.closes)]
        usual = exact.total(weights)
        factors = self._seasons.footfall(site, day)
        visitors = self._settings.trade.visitors_per_day * shop.level * factors.total
        quarters = []
        # In steps of real time, so that a day on which the clocks change has its 23 or 25 hours.
        for start_ms in range(opens_ms, closes_ms, QUARTER_MS):
            local = datetime.fromtimestamp(start_ms // SECOND_MS, UTC).astimezone(zone)
            profile = self._weight(site, local.hour + local.minute / 60) / usual
            quarters.append(Quarter(start_ms, visitors * profile, profile))
        return ShopHours(day, opens_ms, closes_ms, factors, tuple(quarters))

    def arrivals(self, site: Site, hours: ShopHours) -> list[int]:
        """The instants at which people come in, ordered."""
        rng = stream(self._settings.seed, "footfall", site.name, hours.day)
        instants = []
        for quarter in hours.quarters:
            count = exact.poisson(rng, quarter.intensity)
            instants += sorted(quarter.start_ms + rng.randrange(QUARTER_MS) for _ in range(count))
        return instants

    def _weight(self, site: Site, hour: float) -> float:
        """The weight of an hour of the day with its fraction: a line from hour to hour."""
        assert site.shop is not None
        day, own = self._settings.trade.day, site.shop.hour_factors
        here = int(hour) % 24
        after = (here + 1) % 24
        fraction = hour - int(hour)
        # Even a dead hour has somebody in it; a weight of nothing at all would divide by zero.
        return max(
            1e-3, (1 - fraction) * day[here] * own[here] + fraction * day[after] * own[after]
        )
