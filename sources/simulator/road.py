"""Transfers: units leave here, travel, and arrive there, now and then fewer of them."""

from __future__ import annotations

from bisect import bisect
from datetime import date

from sources.simulator import exact
from sources.simulator.instants import HOUR_MS, SECOND_MS, local_ms
from sources.simulator.places import Site, travel_hours
from sources.simulator.streams import stream
from sources.simulator.world import World

# Unloading a line; what is missing turns up between these times, if it does.
UNLOADING_MS = 5 * SECOND_MS
FOUND_FROM_MS, FOUND_TO_MS = 12 * HOUR_MS, 48 * HOUR_MS
# A shop gives from what it has this many of or more, and at most this many.
SPARE_UNITS, MOST_UNITS = 4, 6


class Road:
    """All transfers, from warehouses and between shops."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rngs = [stream(world.settings.seed, "road", site.name) for site in world.sites]
        self._shorts = [stream(world.settings.seed, "short", site.name) for site in world.sites]

    def plan(self, day: date) -> None:
        """Shops help out each other on a day: as often as set, with what they happen to have."""
        world = self._world
        mean = world.settings.supply.transfers_per_store_day
        for site in world.shops:
            assert site.shop is not None
            rng = stream(world.settings.seed, "sharing", site.name, day)
            others = [other for other in world.shops if other.city is site.city and other != site]
            opens_ms = local_ms(site.city.zone, day, site.shop.opens)
            open_ms = local_ms(site.city.zone, day, site.shop.closes) - opens_ms
            for _ in range(exact.poisson(rng, mean) if others else 0):
                other = others[int(rng.random() * len(others))]
                sku = bisect(world.goods.base, rng.random() * world.goods.base[-1])
                at_ms = opens_ms + int(rng.random() * open_ms)
                world.agenda.at(at_ms, self._share, site, other, sku, rng.random())

    def _share(self, here: Site, there: Site, sku: int, share: float) -> None:
        """A shop gives some of what it has, by its record, if it has some to spare."""
        spare = self._world.records.promisable(here.index, sku)
        if spare >= SPARE_UNITS:
            units = 1 + int(share * min(MOST_UNITS, spare // 2))
            self.send(here, there, sku, units, self._world.recorder.order_number(f"L-{here.name}"))

    def send(self, here: Site, there: Site, sku: int, wanted: int, transfer: str) -> None:
        """What is there of `wanted` units starts on its way."""
        world = self._world
        units = world.shelves.send(here.index, there.index, sku, wanted)
        if not units:
            return
        now_ms = world.agenda.now_ms
        office = world.recorder.back_office(here.index)
        world.recorder.movement(
            "transfer_out",
            office,
            here.index,
            sku,
            units,
            now_ms,
            to=there.index,
            transfer=transfer,
        )
        rng = self._rngs[there.index]
        hours = travel_hours(here, there) * (0.9 + 0.4 * rng.random())
        arrives_ms = now_ms + int(hours * HOUR_MS) + UNLOADING_MS
        shorts = self._shorts[there.index]
        missing = 0
        if shorts.random() < world.settings.supply.transfer_short_rate:
            missing = 1 + int(shorts.random() * max(1, units // 4))
        world.agenda.at(
            arrives_ms, self._arrive, here, there, sku, units, min(missing, units), transfer
        )

    def _arrive(
        self, here: Site, there: Site, sku: int, units: int, missing: int, transfer: str
    ) -> None:
        """What has not been lost on the way is unloaded and counted in."""
        world = self._world
        self._unload(here, there, sku, units - missing, transfer)
        if not missing:
            return
        rng = self._shorts[there.index]
        now_ms = world.agenda.now_ms
        found = rng.random() < world.settings.supply.short_found_share
        found_ms = now_ms + FOUND_FROM_MS + int(rng.random() * (FOUND_TO_MS - FOUND_FROM_MS))
        if found:
            world.agenda.at(found_ms, self._unload, here, there, sku, missing, transfer)
        else:
            world.shelves.lose(there.index, sku, missing)
        world.truth.hidden(
            "transfer_short",
            there.name,
            world.goods.skus[sku].name,
            now_ms,
            quantity=missing,
            known_ms=found_ms if found else None,
            detail=f"{transfer} from {here.name}, {'found later' if found else 'lost'}",
        )

    def _unload(self, here: Site, there: Site, sku: int, units: int, transfer: str) -> None:
        if not units:
            return
        world = self._world
        world.shelves.arrive(there.index, sku, units)
        world.recorder.movement(
            "transfer_in",
            world.recorder.back_office(there.index),
            there.index,
            sku,
            units,
            world.agenda.now_ms,
            transfer=transfer,
            from_place=here.name,
        )
