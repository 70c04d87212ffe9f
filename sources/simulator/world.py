"""What all subjects of a simulation share: places, shelves, records, agenda and truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sources.simulator.agenda import Agenda
from sources.simulator.courier import Courier
from sources.simulator.goods import Goods
from sources.simulator.instants import local_ms
from sources.simulator.places import City, Site, cities_of, sites_of
from sources.simulator.recorder import Recorder
from sources.simulator.records import Records
from sources.simulator.seasons import Seasons
from sources.simulator.settings import Settings
from sources.simulator.shelves import Shelves
from sources.simulator.truth import Truth


@dataclass(frozen=True, slots=True)
class World:
    """One simulated chain. `end_ms` is when its last city's last day ends."""

    settings: Settings
    cities: list[City]
    sites: list[Site]
    shops: list[Site]
    goods: Goods
    seasons: Seasons
    agenda: Agenda
    shelves: Shelves
    records: Records
    recorder: Recorder
    courier: Courier
    truth: Truth
    start_ms: int
    end_ms: int

    def first_midnight_ms(self, day: date) -> int:
        """When the day begins in the first of the chain's zones to see it."""
        return min(local_ms(city.zone, day) for city in self.cities)


def world_of(settings: Settings) -> World:
    """An empty chain on the eve of its first day."""
    cities = cities_of(settings)
    sites = sites_of(settings, cities)
    goods = Goods(settings)
    truth = Truth()
    agenda = Agenda()
    shelves = Shelves(len(sites), len(goods.skus))
    records = Records(len(sites), len(goods.skus))
    courier = Courier(settings, truth)
    last = settings.start + timedelta(days=settings.days)
    return World(
        settings=settings,
        cities=cities,
        sites=sites,
        shops=[site for site in sites if site.kind == "store"],
        goods=goods,
        seasons=Seasons(settings, cities),
        agenda=agenda,
        shelves=shelves,
        records=records,
        recorder=Recorder(settings, sites, goods, records, courier, agenda),
        courier=courier,
        truth=truth,
        start_ms=min(local_ms(city.zone, settings.start) for city in cities),
        end_ms=max(local_ms(city.zone, last) for city in cities),
    )
