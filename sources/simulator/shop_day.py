"""One shop's day as it would go with full shelves: who comes in, queues, pays and leaves.

It depends on the shop alone. Whether what a customer asks for is there is judged later, at the
instant of payment, when the whole chain's day has been played up to then.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, field

from sources.simulator import exact
from sources.simulator.footfall import Footfall, ShopHours
from sources.simulator.goods import Goods
from sources.simulator.instants import MINUTE_MS
from sources.simulator.places import Site
from sources.simulator.settings import Settings
from sources.simulator.staff import Employee, Shift, Staff
from sources.simulator.streams import stream

# From the counter to the door.
LEAVING_MS = 20_000
# Browsing times are lognormal with this standard deviation of the log.
BROWSE_SPREAD = 0.6


@dataclass(frozen=True, slots=True)
class Purchase:
    """A customer who was served: what was asked for and how it went."""

    paid_ms: int
    started_ms: int
    joined_ms: int
    employee: Employee
    till: int
    wishes: tuple[tuple[int, int], ...]  # (SKU, units)


@dataclass(slots=True)
class ShopDay:
    """All of a shop's day but the shelves."""

    hours: ShopHours
    shifts: list[Shift]
    entered: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    joined: list[int] = field(default_factory=list)
    gave_up: list[int] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)


class ShopDays:
    """Plays shop days. Footfall, baskets and service each have a stream a shop and day."""

    def __init__(self, settings: Settings, goods: Goods, footfall: Footfall, staff: Staff) -> None:
        self._settings = settings
        self._goods = goods
        self._footfall = footfall
        self._staff = staff

    def play(self, site: Site, hours: ShopHours, promoted: str | None) -> ShopDay:
        """The day of one shop."""
        day = ShopDay(hours, self._staff.shifts(site, hours))
        joins = self._walk_in(site, day)
        self._serve(site, day, joins, promoted)
        return day

    def _walk_in(self, site: Site, day: ShopDay) -> list[int]:
        """Fills in who enters and who leaves without buying; answers who goes to the counter."""
        assert site.shop is not None
        rng = stream(self._settings.seed, "browsing", site.name, day.hours.day)
        browse = exact.lognormal_table(BROWSE_SPREAD)
        mean_ms = self._settings.trade.browse_minutes * MINUTE_MS
        joins = []
        day.entered = self._footfall.arrivals(site, day.hours)
        for entered_ms in day.entered:
            buys = rng.random() < site.shop.conversion
            done_ms = entered_ms + int(mean_ms * browse[rng.getrandbits(10)])
            if buys:
                joins.append(done_ms)
            else:
                day.left.append(done_ms)
        joins.sort()
        day.joined = joins
        return joins

    def _serve(self, site: Site, day: ShopDay, joins: list[int], promoted: str | None) -> None:
        """First come, first served: each customer takes the earliest service anybody can give.

        A customer in hand is finished after the end of a shift, and one who would wait longer than
        his patience leaves at once.
        """
        counter = self._settings.counter
        rng = stream(self._settings.seed, "service", site.name, day.hours.day)
        patience = exact.lognormal_table(counter.patience_spread)
        spread = exact.lognormal_table(counter.spread)
        baskets = stream(self._settings.seed, "basket", site.name, day.hours.day)
        choose = self._goods.chooser(self._goods.shares(site), promoted)
        for joined_ms in joins:
            best: Shift | None = None
            start_ms = 0
            for shift in day.shifts:
                could_ms = max(joined_ms, shift.free_ms)
                if could_ms < shift.end_ms and (best is None or could_ms < start_ms):
                    best, start_ms = shift, could_ms
            patient_ms = counter.patience_minutes * MINUTE_MS * patience[rng.getrandbits(10)]
            factor = spread[rng.getrandbits(10)]
            wishes = tuple(
                (
                    bisect(choose, baskets.random() * choose[-1]),
                    self._goods.units[baskets.getrandbits(10)],
                )
                for _ in range(self._goods.lines[baskets.getrandbits(10)])
            )
            if best is None or start_ms - joined_ms > patient_ms:
                day.gave_up.append(joined_ms)
                day.left.append(joined_ms + LEAVING_MS)
                continue
            items = sum(units for _, units in wishes)
            seconds = counter.seconds_per_order + counter.seconds_per_item * items
            service_ms = max(1_000, int(1_000 * seconds * factor * best.employee.pace))
            best.free_ms = start_ms + service_ms
            day.purchases.append(
                Purchase(best.free_ms, start_ms, joined_ms, best.employee, best.till, wishes)
            )
            day.left.append(best.free_ms + LEAVING_MS)
