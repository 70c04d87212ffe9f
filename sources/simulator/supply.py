"""How goods come in: suppliers, the central warehouse, trucks, and shops that share."""

from __future__ import annotations

import math
from datetime import date, timedelta

from sources.simulator.demand import central_of, units_per_day
from sources.simulator.instants import HOUR_MS, SECOND_MS, local_ms
from sources.simulator.places import Site
from sources.simulator.road import Road
from sources.simulator.streams import stream
from sources.simulator.world import World

# Quarters of an hour of the local day: places look at their stock at 22:00, trucks are loaded from
# midnight on, suppliers come from 06:00 on, and the warehouses count and order at 21:00.
REVIEW, CENTRAL_REVIEW, SUPPLIER = 88, 84, 24
LOADING_MS = 2 * HOUR_MS
LINE_MS = 2 * SECOND_MS
SUPPLIER_SPREAD_MS = 3 * HOUR_MS


class Supply:
    """Replenishment by an order-up-to rule on the recorded stock, as a real system would do it.

    Where the record is wrong, so is what comes: phantom stock is never replaced.
    """

    def __init__(self, world: World, road: Road) -> None:
        self._world = world
        self._road = road
        self._rng = stream(world.settings.seed, "supply")
        self.rates = units_per_day(world)
        rules = world.settings.supply
        cover = {
            "store": rules.store_cover_days,
            "forward_warehouse": rules.warehouse_cover_days,
            "central_warehouse": rules.central_cover_days,
        }
        self._targets = [
            [
                max(1, math.ceil(rate * days + rules.safety_z * math.sqrt(rate * days)))
                for rate in self.rates[site.index]
            ]
            for site in world.sites
            for days in (cover[site.kind],)
        ]
        self._ordered = [[0] * len(world.goods.skus) for _ in world.sites]

    def open(self) -> None:
        """What stands on the shelves at the start, recorded as received."""
        world = self._world
        now_ms = world.agenda.now_ms
        for site in world.sites:
            rng = stream(world.settings.seed, "opening", site.name)
            source = world.recorder.source("erp", site)
            for sku, target in enumerate(self._targets[site.index]):
                units = math.ceil(target * (0.5 + 0.5 * rng.random()))
                world.shelves.open(site.index, sku, units)
                world.recorder.movement(
                    "received",
                    source,
                    site.index,
                    sku,
                    units,
                    now_ms,
                    arrive_ms=now_ms,
                    reason="opening",
                )

    def plan(self, day: date) -> None:
        """The evening's orders of every place."""
        turn = day.toordinal() % len(self._world.sites)
        # Whoever asks first gets the last units; the turn goes round.
        for site in self._world.sites[turn:] + self._world.sites[:turn]:
            central = site.kind == "central_warehouse"
            at_ms = local_ms(site.city.zone, day, CENTRAL_REVIEW if central else REVIEW)
            review = self._review_central if central else self._review
            self._world.agenda.at(at_ms, review, site, day)

    def _gap(self, site: Site, sku: int) -> int:
        """Whole packs that bring the recorded position up to its target; 0 for half a pack."""
        records, place = self._world.records, site.index
        position = (
            records.on_hand[place][sku]
            + records.in_transit[place][sku]
            - records.allocated[place][sku]
            + self._ordered[place][sku]
        )
        gap = self._targets[place][sku] - position
        pack = self._world.goods.skus[sku].pack
        return -(-gap // pack) * pack if gap * 2 >= pack else 0

    def _review(self, site: Site, day: date) -> None:
        """A shop or forward warehouse orders from its central warehouse, or from suppliers."""
        world = self._world
        central = central_of(world, site)
        transfer = ""
        load_ms = local_ms(site.city.zone, day + timedelta(days=1))
        load_ms += int(self._rng.random() * LOADING_MS)
        for sku in world.goods.skus:
            units = self._gap(site, sku.index)
            if not units:
                continue
            if sku.direct:
                self._order(site, sku.index, units, day)
                continue
            transfer = transfer or world.recorder.order_number(f"T-{site.name}")
            load_ms += LINE_MS
            world.agenda.at(load_ms, self._road.send, central, site, sku.index, units, transfer)

    def _review_central(self, site: Site, day: date) -> None:
        """A central warehouse orders from suppliers."""
        for sku in self._world.goods.skus:
            units = 0 if sku.direct else self._gap(site, sku.index)
            if units:
                self._order(site, sku.index, units, day)

    def _order(self, site: Site, sku: int, units: int, day: date) -> None:
        """A supplier will come, as usual or a day later."""
        world = self._world
        number = world.recorder.order_number(f"PO-{site.name}")
        self._ordered[site.index][sku] += units
        days = world.goods.skus[sku].supplier_days + (self._rng.random() < 0.15)
        coming = day + timedelta(days=max(1, round(days)))
        at_ms = local_ms(site.city.zone, coming, SUPPLIER)
        at_ms += int(self._rng.random() * SUPPLIER_SPREAD_MS)
        world.agenda.at(at_ms, self._receive, site, sku, units, number)

    def _receive(self, site: Site, sku: int, units: int, number: str) -> None:
        world = self._world
        self._ordered[site.index][sku] -= units
        world.shelves.receive(site.index, sku, units)
        office = world.recorder.back_office(site.index)
        now_ms = world.agenda.now_ms
        world.recorder.movement("received", office, site.index, sku, units, now_ms, order=number)
