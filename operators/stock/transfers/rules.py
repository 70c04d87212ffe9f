"""The configuration of transfers, made ready for planning: terms by SKU, routes by places."""

from __future__ import annotations

import math
import re
from fnmatch import translate
from typing import NamedTuple

from schemas.chain import Chain
from schemas.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from schemas.transfer_rules import PlaceKind, TransferRoute, TransferTerms

EARTH_KM = 6371.0
ROUTES_REMEMBERED = 100_000


class Terms(NamedTuple):
    """What applies to one SKU: margin of a unit (minor money), units a pack, packs at least."""

    margin: int
    pack: int
    least_packs: int


class Road(NamedTuple):
    """The way from one place to another: cost of the trip and of a unit, hours, kilometres."""

    fixed_cost: int
    unit_cost: int
    lead_time_h: float
    km: float | None


class TransferRules:
    """The chain's configuration as planning and the machine ask for it; durations in us."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        config = self.config = chain.transfers
        self.cool_down = round(config.cool_down_days * DAY_US)
        self.repeat = round(config.repeat_days * DAY_US)
        self.quiet = round(config.quiet_hours * HOUR_US)
        self.valid = round(config.valid_hours * HOUR_US)
        self.ship = round(config.ship_hours * HOUR_US)
        self.replan = round(config.replan_minutes * MINUTE_US)
        self.settle = round(config.settle_seconds * SECOND_US)
        self.grace = round(config.grace_hours * HOUR_US)
        self.stale = round(config.stale_days * DAY_US)
        # How long what is over is remembered, to know copies and late news of it.
        self.memory = round(max(chain.stock.horizon_hours * HOUR_US, self.quiet))
        # The daily memory of the demand rate, as operators.stock.rules has it.
        self.daily_memory = 1 - 1 / max(1, (chain.stock.demand_days + 1) // 2)
        default = TransferTerms()
        self._terms = [(_matcher(one.sku), _ready(one)) for one in (*config.terms, default)]
        self._routes = [
            (_matcher(one.from_place), _matcher(one.to_place), one)
            for one in (*config.routes, TransferRoute())
        ]
        self._roads: dict[tuple[str, str], Road | None] = {}

    def terms(self, sku: str) -> Terms:
        """The terms of the first pattern that matches, else the defaults."""
        return next(ready for matcher, ready in self._terms if matcher.match(sku))

    def road(self, here: str, there: str) -> Road | None:
        """The road from one place to another, None where there is none."""
        if (here, there) not in self._roads:
            if len(self._roads) > ROUTES_REMEMBERED:
                self._roads.clear()
            self._roads[here, there] = self._road(here, there)
        return self._roads[here, there]

    def _road(self, here: str, there: str) -> Road | None:
        route = next(
            route
            for of_here, of_there, route in self._routes
            if of_here.match(here) and of_there.match(there)
        )
        km = route.km if route.km is not None else self.km(here, there)
        too_far = route.max_km is not None and (km is None or km > route.max_km)
        if here == there or not route.allowed or too_far:
            return None
        driving = km / route.km_per_hour if km is not None and route.km_per_hour else 0.0
        return Road(
            fixed_cost=route.fixed_cost + math.ceil(route.km_cost * (km or 0.0)),
            unit_cost=route.unit_cost,
            lead_time_h=route.lead_time_hours + driving,
            km=km,
        )

    def km(self, here: str, there: str) -> float | None:
        """The great-circle distance of two places, where both have coordinates."""
        coordinates = self.config.coordinates
        if here not in coordinates or there not in coordinates:
            return None
        (lat, lon), (lat2, lon2) = (
            map(math.radians, coordinates[place]) for place in (here, there)
        )
        a = math.sin((lat2 - lat) / 2) ** 2
        a += math.cos(lat) * math.cos(lat2) * math.sin((lon2 - lon) / 2) ** 2
        return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(a)))

    def gives(self, place: str) -> bool:
        """Whether the place may be asked for units."""
        return self._kind(place) in self.config.donors

    def takes(self, place: str) -> bool:
        """Whether the place may be sent units."""
        return self._kind(place) in self.config.takers

    def _kind(self, place: str) -> PlaceKind:
        listed = self.chain.places.get(place)
        return listed.kind if listed is not None else "store"


def _ready(terms: TransferTerms) -> Terms:
    return Terms(terms.unit_margin, terms.pack, max(1, -(-terms.min_quantity // terms.pack)))


def _matcher(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))
