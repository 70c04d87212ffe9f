"""Members: who buys how often, who has dropped out, and whose order a purchase is.

The modified BG/NBD model: a member's purchases are a Poisson process whose rate is gamma between
members, and after each purchase the member drops out with a chance that is beta between members.
Here the clock of that process is the shop's own trade: each order is given to a member with a
chance in proportion to the member's rate, so busy days bring more members too, and footfall keeps
its known intensity. An order that would be a dropped member's is somebody's who is no member.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass

from sources.simulator import exact
from sources.simulator.instants import DAY_MS
from sources.simulator.places import Site
from sources.simulator.settings import Settings
from sources.simulator.streams import stream


@dataclass(slots=True)
class Member:
    """One member by pseudonym. `purchases_per_day` is hidden and holds while the member stays."""

    name: str
    home: str
    weight: float
    purchases_per_day: float
    drop_chance: float
    joined_ms: int
    purchases_before: int = 0
    purchases: int = 0
    dropped: bool = False
    dropped_ms: int | None = None  # empty with `dropped`: before the start


class Members:
    """The members of all shops."""

    def __init__(
        self, settings: Settings, shops: list[Site], orders_per_day: list[float], start_ms: int
    ) -> None:
        self._settings = settings.members
        self.by_shop = [
            _members(settings, shop, orders, start_ms)
            for shop, orders in zip(shops, orders_per_day, strict=True)
        ]
        self._sums = [exact.summed([m.weight for m in members]) for members in self.by_shop]
        self._rngs = [stream(settings.seed, "member", shop.name) for shop in shops]

    def of_order(self, shop: int, at_ms: int) -> Member | None:
        """The member whose order this is, if anybody's; the member may drop out right after."""
        rng = self._rngs[shop]
        if rng.random() >= self._settings.purchase_share:
            return None
        away = rng.random() < self._settings.away_share
        elsewhere = int(rng.random() * len(self.by_shop))  # one draw, however many shops there are
        home = elsewhere if away else shop
        sums = self._sums[home]
        member = self.by_shop[home][bisect(sums, rng.random() * sums[-1])]
        drops = rng.random() < member.drop_chance
        if member.dropped or member.joined_ms > at_ms:
            return None
        member.purchases += 1
        if drops:
            member.dropped, member.dropped_ms = True, at_ms
        return member


def _members(settings: Settings, shop: Site, orders_per_day: float, start_ms: int) -> list[Member]:
    """A shop's members, with what they did before the start."""
    rules = settings.members
    rng = stream(settings.seed, "members", shop.name)
    weights = [exact.gamma(rng, rules.rate_shape) for _ in range(rules.per_store)]
    everything = exact.total(weights)
    members = []
    for weight in weights:
        per_day = orders_per_day * rules.purchase_share * weight / everything
        # Most joined before the start; some join in the quarter of that time that follows it.
        days = rules.history_days * (1.25 * rng.random() - 1.0)
        member = Member(
            name=f"m{rng.getrandbits(48):012x}",
            home=shop.name,
            weight=weight,
            purchases_per_day=per_day,
            drop_chance=exact.beta(rng, rules.drop_a, rules.drop_b),
            joined_ms=start_ms + int(days * DAY_MS),
        )
        for _ in range(exact.poisson(rng, max(0.0, -days) * per_day)):
            member.purchases_before += 1
            if rng.random() < member.drop_chance:
                member.dropped = True
                break
        members.append(member)
    return members
