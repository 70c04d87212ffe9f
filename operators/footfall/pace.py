"""What orders take in a store: its own days that no late event can change any more."""

from __future__ import annotations

import msgspec

from operators.footfall.facts import QUARTER_US
from operators.footfall.rules import FootfallRules, StoreTimes
from schemas.instants import DAY_US


class DaySums(msgspec.Struct, array_like=True, gc=False):
    """Orders of one task on one business day: what a straight line through them needs."""

    orders: int = 0
    items: int = 0
    service_ms: int = 0
    squares: int = 0
    products: int = 0

    def add(self, items: int, service_ms: int) -> None:
        """Count an order in."""
        self.orders += 1
        self.items += items
        self.service_ms += service_ms
        self.squares += items * items
        self.products += items * service_ms


# By task and number of the business day.
Days = dict[str, dict[int, DaySums]]


def line_through(sums: DaySums) -> tuple[float, float] | None:
    """Milliseconds an order and an item take: least squares over the orders.

    Where that makes no sense (all orders of one size, a negative time) items alone count, and
    without any items orders alone. None: there were no orders.
    """
    if not sums.orders:
        return None
    spread = sums.orders * sums.squares - sums.items * sums.items
    if spread > 0:
        slope = (sums.orders * sums.products - sums.items * sums.service_ms) / spread
        base = (sums.service_ms - slope * sums.items) / sums.orders
        if slope >= 0 and base >= 0:
            return base, slope
    if sums.items:
        return 0.0, sums.service_ms / sums.items
    return sums.service_ms / sums.orders, 0.0


def expected_seconds(
    days: Days, window: int, task: str, work: tuple[int, int], times: StoreTimes, rules: Rates
) -> float | None:
    """What `work` (orders, items) takes in a window, by the rules or by the store's settled days.

    A day is settled when it ended `late` before the window began: no event of it is accepted any
    more once the window has an order, so the answer stays the same for ever.
    """
    orders, items = work
    rate = rules.rules.rate(rules.store, task)
    if rate is not None:
        return rate.seconds_per_order * orders + rate.seconds_per_item * items
    last = times.day_of(window * QUARTER_US - rules.rules.late) - 1
    sums = DaySums()
    of_task = days.get(task, {})
    for day in range(last - rules.rules.rate_days + 1, last + 1):
        one = of_task.get(day)
        if one is not None:
            sums.orders += one.orders
            sums.items += one.items
            sums.service_ms += one.service_ms
            sums.squares += one.squares
            sums.products += one.products
    line = line_through(sums)
    if line is None:
        return None
    return (line[0] * orders + line[1] * items) / 1000


class Rates(msgspec.Struct, frozen=True):
    """The rules, for one store."""

    rules: FootfallRules
    store: str


def forget_days(days: Days, today: int, rules: FootfallRules) -> None:
    """Drop the days that no window can ask for any more."""
    reach = -(-(2 * rules.late + rules.settling + rules.apart) // DAY_US) + rules.rate_days + 2
    for of_task in days.values():
        for day in [day for day in of_task if day < today - reach]:
            del of_task[day]
