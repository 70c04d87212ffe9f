"""Plays a chain: what happens, in order of time, and the events of it, in order of arrival."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from schemas.chain import Chain, Place, StockConfig, StockRule
from sources.simulator.carts import Carts
from sources.simulator.counts import Counts
from sources.simulator.courier import Delivery
from sources.simulator.desk import Desk, RecordDesk
from sources.simulator.instants import local_ms
from sources.simulator.losses import Losses
from sources.simulator.promises import Promises
from sources.simulator.returns import Returns
from sources.simulator.road import Road
from sources.simulator.settings import Settings
from sources.simulator.shops import Shops
from sources.simulator.supply import Supply
from sources.simulator.truth import Truth
from sources.simulator.world import World, world_of

# The stock of every place is written down at this quarter of an hour of the first city's day.
DAILY = 16


class Simulation:
    """One run. Iterate over it once: it yields deliveries and fills `truth` as it goes.

    Nothing is played ahead of need, so a live reader may sleep until each `arrival_ms`.
    """

    def __init__(self, settings: Settings, desk_of: Callable[[World], Desk] = RecordDesk) -> None:
        self.settings = settings
        self._begun = False
        self._ended = False
        self.world: World = world_of(settings)
        self.truth: Truth = self.world.truth
        world = self.world
        returns = Returns(world)
        self._counts = Counts(world)
        desk = desk_of(world)
        self._promises = Promises(world, self._counts, returns, desk)
        self._road = Road(world)
        self._supply = Supply(world, self._road)
        self._losses = Losses(world, self._supply.rates)
        self._shops = Shops(world, returns)
        self._carts = Carts(world, self._promises, desk)
        world.agenda.at(world.start_ms, self._supply.open)
        for day in world.seasons.days:
            # Every place's day is planned when the first zone reaches it.
            world.agenda.at(world.first_midnight_ms(day) + 1, self._plan, day)
            daily_ms = local_ms(world.cities[0].zone, day, DAILY)
            world.agenda.after_all_at(daily_ms, self._write_shelves)

    def __iter__(self) -> Iterator[Delivery]:
        """All deliveries, in order of arrival."""
        if self._begun:
            msg = "a simulation is played once; make another one from the same settings"
            raise RuntimeError(msg)
        self._begun = True
        world, courier = self.world, self.world.courier
        while (next_ms := world.agenda.next_ms()) is not None and next_ms < world.end_ms:
            yield from courier.due(next_ms)
            if self._ended:
                break
            world.agenda.step()
        yield from courier.rest()
        self._close()

    def end_now(self) -> None:
        """Nothing more happens: what is on its way still arrives, and the truth is that of now."""
        self._ended = True

    def _plan(self, day: date) -> None:
        self._shops.plan(day)
        self._carts.plan(day)
        self._supply.plan(day)
        self._road.plan(day)
        self._losses.plan(day)
        self._counts.plan(day)

    def _write_shelves(self, at_ms: int | None = None) -> None:
        """What is really there, now."""
        world = self.world
        at_us = (world.agenda.now_ms if at_ms is None else at_ms) * 1_000
        add = self.truth.rows["on_hand"].append
        names = [sku.name for sku in world.goods.skus]
        for site in world.sites:
            place = site.index
            columns = (
                names,
                world.shelves.on_hand[place],
                world.shelves.claimed[place],
                world.shelves.quarantined[place],
                world.shelves.in_transit[place],
            )
            for name, *units in zip(*columns, strict=True):
                add((at_us, site.name, name, *units))

    def _close(self) -> None:
        """Writes down how everything stands at the end."""
        world, truth = self.world, self.truth
        self._promises.close()
        self._write_shelves(max(world.agenda.now_ms, 0) if self._ended else world.end_ms)
        for site in world.sites:
            place = site.index
            for sku in world.goods.skus:
                k = sku.index
                truth.add(
                    "recorded",
                    (
                        site.name,
                        sku.name,
                        world.records.on_hand[place][k],
                        world.records.allocated[place][k],
                        world.records.quarantined[place][k],
                        world.records.in_transit[place][k],
                        world.shelves.on_hand[place][k],
                    ),
                )
        checkout = self._shops.checkout
        for site in world.shops:
            shares = world.goods.shares(site)
            rates = world.goods.units_per_day(site)
            for sku in world.goods.skus:
                k = sku.index
                wanted, sold = checkout.wanted[site.index][k], checkout.sold[site.index][k]
                row = (site.name, sku.name, shares[k], rates[k], wanted, sold, wanted - sold)
                truth.add("demand", row)
        for members in self._shops.members.by_shop:
            for member in members:
                dropped_ms = member.dropped_ms
                truth.add(
                    "members",
                    (
                        member.name,
                        member.home,
                        member.purchases_per_day,
                        member.drop_chance,
                        member.joined_ms * 1_000,
                        member.purchases_before,
                        member.purchases,
                        int(member.dropped),
                        None if dropped_ms is None else dropped_ms * 1_000,
                    ),
                )
        for flow, units_by_sku in world.shelves.flows.items():
            for sku in world.goods.skus:
                truth.add("flows", (sku.name, flow, units_by_sku[sku.index]))

    def chain(self) -> Chain:
        """The chain as its own systems are configured: no hidden truth in it."""
        world = self.world
        supply = self.settings.supply
        kinds = (
            ("S*", supply.store_cover_days / 2),
            ("F*", supply.warehouse_cover_days / 2),
            ("C*", supply.supplier_days_to),
        )
        return Chain(
            chain=f"simulated-{self.settings.preset}",
            timezone=str(world.cities[0].zone),
            places={
                site.name: Place(
                    kind=site.kind,
                    pool=site.city.name,
                    timezone=str(site.city.zone),
                    name=f"{site.kind.replace('_', ' ')} {site.name} in {site.city.name}",
                )
                for site in world.sites
            },
            stock=StockConfig(
                horizon_hours=max(48.0, 2 * self.settings.max_lateness_hours),
                rules=tuple(
                    StockRule(place=pattern, safety_stock=1, lead_time_days=days)
                    for pattern, days in kinds
                ),
            ),
        )


def simulate(settings: Settings, desk_of: Callable[[World], Desk] = RecordDesk) -> Simulation:
    """A run of the chain: iterate over it for the events, then read its `truth`.

    `desk_of` makes who answers the channels; by itself the chain answers from its own books.
    """
    return Simulation(settings, desk_of)
