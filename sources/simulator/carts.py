"""Carts: filled from afar, paid for or given up."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from datetime import date

from sources.simulator import exact
from sources.simulator.demand import servers
from sources.simulator.desk import Desk
from sources.simulator.instants import HOUR_MS, MINUTE_MS, local_ms
from sources.simulator.places import City, Site
from sources.simulator.promises import Promises
from sources.simulator.seasons import Flash
from sources.simulator.settings import Channel
from sources.simulator.streams import stream
from sources.simulator.world import World

# Payment times are lognormal with this standard deviation of the log, and never past the timeout.
PAY_SPREAD = 0.8
# A cart looks at this many places, the nearest at hand first.
CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Cart:
    """One cart. `lines` are (SKU, units); `places` are asked in this order."""

    name: str
    channel: Channel
    city: City
    lines: tuple[tuple[int, int], ...]
    places: tuple[Site, ...]
    created_ms: int


class Carts:
    """All carts of all channels. A city's channel has a stream a day."""

    def __init__(self, world: World, promises: Promises, desk: Desk) -> None:
        self._world = world
        self._promises = promises
        self._desk = desk
        self._served = {
            (city.index, channel.name): servers(world, city.index, channel.served_by)
            for city in world.cities
            for channel in world.settings.online.channels
        }

    def plan(self, day: date) -> None:
        """Puts a day's carts on the agenda."""
        online, world = self._world.settings.online, self._world
        promoted = world.seasons.promoted(day)
        choose = world.goods.chooser(world.goods.base_shares(), promoted)
        shares = exact.total(channel.share for channel in online.channels)
        for flash in world.seasons.flashes:
            if flash.day == day:
                self._flash(flash)
        for city in world.cities:
            shops = len([shop for shop in world.shops if shop.city is city])
            carts = online.carts_per_store_day * shops * world.seasons.online(city, day)
            for channel in online.channels:
                hours = exact.total(channel.day)
                for hour, weight in enumerate(channel.day):
                    rng = stream(world.settings.seed, "carts", channel.name, city.name, day, hour)
                    mean = carts * channel.share / shares * weight / hours
                    for _ in range(exact.poisson(rng, mean)):
                        at_ms = local_ms(city.zone, day, hour * 4) + int(rng.random() * HOUR_MS)
                        lines = tuple(
                            (
                                bisect(choose, rng.random() * choose[-1]),
                                world.goods.units[rng.getrandbits(10)],
                            )
                            for _ in range(world.goods.online_lines[rng.getrandbits(10)])
                        )
                        first = rng.random()
                        luck = (rng.random(), rng.getrandbits(10), rng.random(), rng.random())
                        world.agenda.at(at_ms, self._fill, channel, city, lines, first, luck)

    def _flash(self, flash: Flash) -> None:
        """Puts the carts of a flash sale on the agenda: every channel sells the SKU at once."""
        online, world = self._world.settings.online, self._world
        city = world.cities[flash.city]
        rng = stream(world.settings.seed, "flash_carts", city.name, flash.day)
        channels = exact.summed([channel.share for channel in online.channels])
        starts_ms = local_ms(city.zone, flash.day) + int(flash.hour * HOUR_MS)
        for _ in range(exact.poisson(rng, float(online.flash_carts))):
            at_ms = starts_ms + int(rng.random() * online.flash_minutes * MINUTE_MS)
            channel = online.channels[bisect(channels, rng.random() * channels[-1])]
            lines = ((flash.sku, world.goods.units[rng.getrandbits(10)]),)
            first = rng.random()
            luck = (rng.random(), rng.getrandbits(10), rng.random(), rng.random())
            world.agenda.at(at_ms, self._fill, channel, city, lines, first, luck)

    def _fill(
        self,
        channel: Channel,
        city: City,
        lines: tuple[tuple[int, int], ...],
        first: float,
        luck: tuple[float, int, float, float],
    ) -> None:
        """A cart is filled; whether it will be paid for is already settled, but nobody knows."""
        world, online = self._world, self._world.settings.online
        now_ms = world.agenda.now_ms
        serving = self._served[city.index, channel.name]
        start = int(first * len(serving))
        places = tuple(
            serving[(start + step) % len(serving)] for step in range(min(CANDIDATES, len(serving)))
        )
        short = channel.name.replace("/", "-")
        name = world.recorder.order_number(f"cart-{short}")
        cart = Cart(name, channel, city, lines, places, now_ms)
        self._desk.filled(cart)
        pays, table, cancels, ships = luck
        wait_ms = int(online.cart_minutes * MINUTE_MS)
        if pays >= online.paid_share:
            world.agenda.at(now_ms + wait_ms, self._give_up, cart)
            return
        factor = exact.lognormal_table(PAY_SPREAD)[table]
        pay_ms = min(int(online.pay_minutes * MINUTE_MS * factor), wait_ms - 1)
        world.agenda.at(now_ms + max(pay_ms, 1), self._pay, cart, cancels, ships)

    def _give_up(self, cart: Cart) -> None:
        self._desk.given_up(cart)
        for line, (sku, units) in enumerate(cart.lines, start=1):
            self._write(cart, line, sku, units, None, "", promised=False)

    def _pay(self, cart: Cart, cancels: float, ships: float) -> None:
        """A paid cart becomes an order; each of its lines is promised by a place, or by none."""
        world = self._world
        order = world.recorder.order_number(cart.channel.name.replace("/", "-"))
        now_ms = world.agenda.now_ms
        kept = []
        for line, (sku, units) in enumerate(cart.lines, start=1):
            found = self._desk.place_for(cart, line, order)
            if found is not None:
                site, seen = found
                kept.append(
                    self._promises.promise(cart.channel, site, order, str(line), sku, units, seen)
                )
                self._desk.promised(cart, line, site)
            self._write(cart, line, sku, units, now_ms, order, promised=found is not None)
        self._promises.plan(cart.channel, kept, cancels, ships)

    def _write(
        self,
        cart: Cart,
        line: int,
        sku: int,
        units: int,
        paid_ms: int | None,
        order: str,
        *,
        promised: bool,
    ) -> None:
        given_up = self._world.agenda.now_ms * 1_000 if paid_ms is None else None
        self._world.truth.add(
            "carts",
            (
                cart.name,
                str(line),
                cart.channel.name,
                cart.city.name,
                self._world.goods.skus[sku].name,
                units,
                cart.places[0].name,
                cart.created_ms * 1_000,
                None if paid_ms is None else paid_ms * 1_000,
                given_up,
                order,
                int(promised),
            ),
        )
