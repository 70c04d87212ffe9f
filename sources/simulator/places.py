"""Cities, shops and warehouses with what is hidden about them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from schemas.chain import PlaceKind
from sources.simulator import exact
from sources.simulator.instants import quarter_of
from sources.simulator.settings import Settings
from sources.simulator.streams import stream

# Cities lie in a square of this side; a truck needs a day from corner to corner.
CHAIN_KM = 600.0
CITY_KM = 20.0
TRUCK_KM_PER_HOUR = 60.0
LOADING_HOURS = 2.0


@dataclass(frozen=True, slots=True)
class City:
    """One city: its shops share weather and a pool of stock."""

    index: int
    name: str
    x_km: float
    y_km: float
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Shop:
    """What is hidden about a shop.

    `level` and `hour_factors` multiply footfall, `staffing` multiplies the heads it would need;
    `opens` and `closes` are quarters of an hour of the local day.
    """

    level: float
    conversion: float
    hour_factors: tuple[float, ...]
    opens: int
    closes: int
    door_shares: tuple[float, ...]
    staffing: float


@dataclass(frozen=True, slots=True)
class Site:
    """One place of the chain; `shop` for stores only."""

    index: int
    name: str
    kind: PlaceKind
    city: City
    x_km: float
    y_km: float
    shop: Shop | None


def travel_hours(here: Site, there: Site) -> float:
    """Loading and the road between two places."""
    x_km, y_km = here.x_km - there.x_km, here.y_km - there.y_km
    return LOADING_HOURS + math.sqrt(x_km * x_km + y_km * y_km) / TRUCK_KM_PER_HOUR


def cities_of(settings: Settings) -> list[City]:
    """A city for every `stores_per_city` shops, and one for each forward warehouse without."""
    count = -(-settings.stores // settings.trade.stores_per_city)
    cities = []
    for index in range(count):
        rng = stream(settings.seed, "city", index)
        zone = ZoneInfo(settings.timezones[index % len(settings.timezones)])
        x_km, y_km = (round(rng.random() * CHAIN_KM, 1) for _ in range(2))
        cities.append(City(index, f"city-{index + 1}", x_km, y_km, zone))
    return cities


def sites_of(settings: Settings, cities: list[City]) -> list[Site]:
    """All places: the stores first, then forward warehouses, then central ones.

    A store's hidden parameters come from its own stream and its city from its number, so neither
    changes when the chain grows.
    """
    sites: list[Site] = []

    def add(name: str, kind: PlaceKind, city: City, shop: Shop | None) -> None:
        rng = stream(settings.seed, "site", name)
        x_km, y_km = (round(rng.random() * CITY_KM, 1) for _ in range(2))
        sites.append(Site(len(sites), name, kind, city, city.x_km + x_km, city.y_km + y_km, shop))

    for number in range(settings.stores):
        name = f"S{number + 1:03d}"
        city = cities[number // settings.trade.stores_per_city]
        add(name, "store", city, _shop(settings, name))
    for number in range(settings.forward_warehouses):
        add(f"F{number + 1:02d}", "forward_warehouse", cities[number % len(cities)], None)
    for number in range(settings.central_warehouses):
        add(f"C{number + 1:02d}", "central_warehouse", cities[number % len(cities)], None)
    return sites


def _shop(settings: Settings, name: str) -> Shop:
    """The hidden parameters of one shop, all from its own stream."""
    trade = settings.trade
    rng = stream(settings.seed, "shop", name)
    level = exact.lognormal(rng, trade.level_spread)
    conversion = min(0.98, trade.conversion * (0.85 + 0.3 * rng.random()))
    hours = tuple(0.85 + 0.3 * rng.random() for _ in range(24))
    # Half an hour earlier or later, as a mall or a street corner has it.
    opens = max(0, quarter_of(trade.opens) + rng.choice((-2, 0, 0, 2)))
    closes = min(95, quarter_of(trade.closes) + rng.choice((-2, 0, 0, 2)))
    doors = 1 + rng.randrange(trade.doors)
    weights = [0.4 + rng.random() for _ in range(doors)]
    shares = tuple(weight / exact.total(weights) for weight in weights)
    staffing = exact.lognormal(rng, settings.counter.staffing_spread)
    return Shop(level, conversion, hours, opens, max(closes, opens + 4), shares, staffing)
