"""What each place is expected to hand out a day, by the hidden parameters."""

from __future__ import annotations

from sources.simulator import exact
from sources.simulator.places import Site
from sources.simulator.world import World


def central_of(world: World, site: Site) -> Site:
    """The central warehouse that a place orders from."""
    centrals = [other for other in world.sites if other.kind == "central_warehouse"]
    return centrals[site.index % len(centrals)]


def servers(world: World, city: int, served_by: str) -> list[Site]:
    """The places that serve a city's carts of one kind, in the order of the chain.

    A city without a forward warehouse is served by the central ones.
    """
    kind = "store" if served_by == "stores" else "forward_warehouse"
    near = [site for site in world.sites if site.kind == kind and site.city.index == city]
    return near or [site for site in world.sites if site.kind == "central_warehouse"]


def units_per_day(world: World) -> list[list[float]]:
    """Units a day per place and SKU on an average day: tills, carts, and what is passed on."""
    settings, goods = world.settings, world.goods
    rates = [[0.0] * len(goods.skus) for _ in world.sites]
    for shop in world.shops:
        rates[shop.index] = goods.units_per_day(shop)
    base = goods.base_shares()
    paid = settings.online.carts_per_store_day * settings.online.paid_share
    units = paid * goods.mean_online_lines * goods.mean_units
    shares = exact.total(channel.share for channel in settings.online.channels)
    for city in world.cities:
        shops = len([shop for shop in world.shops if shop.city is city])
        for channel in settings.online.channels:
            serving = servers(world, city.index, channel.served_by)
            each = units * shops * channel.share / shares / len(serving)
            for site in serving:
                row = rates[site.index]
                for sku, share in enumerate(base):
                    row[sku] += each * share
    for site in world.sites:
        if site.kind != "central_warehouse":
            row = rates[central_of(world, site).index]
            for good in goods.skus:
                if not good.direct:
                    row[good.index] += rates[site.index][good.index]
    return rates
