"""The range: SKUs, how popular they are, and what that means in units a day."""

from __future__ import annotations

from dataclasses import dataclass

from sources.simulator import exact
from sources.simulator.places import Site
from sources.simulator.settings import Settings
from sources.simulator.streams import stream


@dataclass(frozen=True, slots=True)
class Sku:
    """One SKU. `weight` is its hidden share of the chain's order lines before local taste."""

    index: int
    name: str
    category: str
    price: int
    pack: int
    weight: float
    direct: bool
    supplier_days: float


class Goods:
    """All SKUs, and for every shop the weights by which its customers choose."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.skus = _skus(settings)
        self.base = exact.summed([sku.weight for sku in self.skus])
        self.lines = exact.geometric_table(settings.goods.lines_per_order, 40)
        self.units = exact.geometric_table(settings.goods.units_per_line, 12)
        self.online_lines = exact.geometric_table(settings.online.lines_per_order, 12)
        self.mean_lines = sum(self.lines) / len(self.lines)
        self.mean_units = sum(self.units) / len(self.units)
        self.mean_online_lines = sum(self.online_lines) / len(self.online_lines)
        self._tastes: dict[str, list[float]] = {}

    def shares(self, shop: Site) -> list[float]:
        """Each SKU's share of the shop's order lines on a day without a campaign."""
        known = self._tastes.get(shop.name)
        if known is None:
            rng = stream(self._settings.seed, "taste", shop.name)
            table = exact.lognormal_table(self._settings.goods.taste_spread)
            weights = [sku.weight * table[rng.getrandbits(10)] for sku in self.skus]
            everything = exact.total(weights)
            known = self._tastes[shop.name] = [weight / everything for weight in weights]
        return known

    def base_shares(self) -> list[float]:
        """Each SKU's share of the lines of carts, which know no local taste."""
        return [sku.weight / self.base[-1] for sku in self.skus]

    def chooser(self, shares: list[float], promoted: str | None) -> list[float]:
        """Running sums to choose a SKU by, with a promoted category weighing more."""
        if promoted is None:
            return exact.summed(shares)
        factor = self._settings.trade.campaign_category_factor
        pairs = zip(self.skus, shares, strict=True)
        return exact.summed([w * factor if sku.category == promoted else w for sku, w in pairs])

    def units_per_day(self, shop: Site) -> list[float]:
        """Units of each SKU that the shop's customers ask for on an average day."""
        assert shop.shop is not None
        orders = self._settings.trade.visitors_per_day * shop.shop.level * shop.shop.conversion
        units = orders * self.mean_lines * self.mean_units
        return [units * share for share in self.shares(shop)]


def _skus(settings: Settings) -> list[Sku]:
    """The SKUs by falling popularity, up to noise: rank r sells like 1 / r to the `zipf`."""
    goods, supply = settings.goods, settings.supply
    shares = exact.summed([category.share for category in goods.categories])
    skus = []
    for index in range(settings.skus):
        rng = stream(settings.seed, "sku", index)
        at = rng.random() * shares[-1]
        category = goods.categories[next(i for i, upto in enumerate(shares) if at < upto)]
        price = rng.randrange(category.price_from, category.price_to + 1) // 10 * 10
        noise = 0.7 + 0.6 * rng.random()
        days = supply.supplier_days_to - supply.supplier_days_from
        skus.append(
            Sku(
                index=index,
                name=f"{category.prefix}-{index + 1:04d}",
                category=category.name,
                price=max(price, 10),
                pack=rng.choice(goods.packs),
                weight=noise * exact.power(index + 1.0, -goods.zipf),
                direct=rng.random() < supply.direct_share,
                supplier_days=supply.supplier_days_from + days * rng.random(),
            )
        )
    return skus
