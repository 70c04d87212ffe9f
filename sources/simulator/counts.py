"""Cycle counts: a part of every place's range is counted each day, some of it in open trade."""

from __future__ import annotations

from datetime import date

from sources.simulator.instants import QUARTER_MS, local_ms
from sources.simulator.places import Site
from sources.simulator.streams import stream
from sources.simulator.world import World

# Before opening: from 06:00 on, for three hours or until the shop opens.
MORNING, MORNING_QUARTERS = 24, 12
WAREHOUSE_HOURS = (24, 84)


class Counts:
    """Counts find what is really there at their time; that is all they do."""

    def __init__(self, world: World) -> None:
        self._world = world

    def plan(self, day: date) -> None:
        """Puts a day's counts of every place on the agenda."""
        world, rules = self._world, self._world.settings.supply
        skus = len(world.goods.skus)
        for site in world.sites:
            rng = stream(world.settings.seed, "count", site.name, day)
            zone = site.city.zone
            opens, closes = (site.shop.opens, site.shop.closes) if site.shop else WAREHOUSE_HOURS
            number = int(skus * rules.count_share_per_day + rng.random())
            for _ in range(number):
                sku = int(rng.random() * skus)
                in_trade = rng.random() < rules.count_in_trade_share
                first = opens if in_trade else min(MORNING, opens)
                last = closes if in_trade else min(MORNING + MORNING_QUARTERS, max(opens, 1))
                quarters = max(1, last - first)
                at_ms = local_ms(zone, day, first) + int(rng.random() * quarters * QUARTER_MS)
                self.at(at_ms, site, sku)

    def at(self, when_ms: int, site: Site, sku: int) -> None:
        """A count at a time; it sees everything that happens in its own millisecond."""
        self._world.agenda.after_all_at(when_ms, self._count, site, sku)

    def _count(self, site: Site, sku: int) -> None:
        world = self._world
        there = world.shelves.on_hand[site.index][sku]
        office = world.recorder.back_office(site.index)
        world.recorder.count(office, site.index, sku, there, world.agenda.now_ms)
