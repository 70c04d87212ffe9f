"""One window of a store: its figures, exact whatever the order its events come in."""

from __future__ import annotations

from bisect import insort
from typing import Any

import msgspec

from operators.footfall.facts import NO_WAIT, QUARTER_US, Fact, OrderFact, VisitFact
from operators.footfall.rules import LocalNames

MIXED = "mixed"
NOTHING_YET = -(2**62)


class Work(msgspec.Struct, array_like=True, gc=False):
    """What one employee did at one task; `told` is how many of the orders were handed out."""

    orders: int = 0
    items: int = 0
    service_ms: int = 0
    told: int = 0


class Window(msgspec.Struct, array_like=True):
    """Figures of a quarter of an hour; `marks` are the sensors that reported in it.

    All service times are kept, sorted, while events may still come; then only `p90_ms` is.
    """

    version: int = 0
    events: int = 0
    entries: int = 0
    exits: int = 0
    orders: int = 0
    items: int = 0
    sales: dict[str, int] = {}
    service_ms: int = 0
    services: list[int] = []
    p90_ms: int = 0
    waited_ms: int = 0
    waited_orders: int = 0
    as_of: int = NOTHING_YET
    work: dict[tuple[str, str], Work] = {}
    marks: set[str] = set()

    def add(self, fact: Fact) -> None:
        """Count a fact in."""
        self.version += 1
        self.events += 1
        self.as_of = max(self.as_of, fact.time)
        if isinstance(fact, VisitFact):
            self.entries += fact.entries
            self.exits += fact.exits
            return
        self.orders += 1
        self.items += fact.items
        self.sales[fact.currency] = self.sales.get(fact.currency, 0) + fact.amount
        self.service_ms += fact.service_ms
        insort(self.services, fact.service_ms)
        if fact.waited_ms != NO_WAIT:
            self.waited_ms += fact.waited_ms
            self.waited_orders += 1
        if fact.employee is not None:
            self._credit(fact, fact.employee)

    def _credit(self, order: OrderFact, employee: str) -> None:
        key = (employee, order.task)
        work = self.work.get(key)
        if work is None:
            work = self.work[key] = Work()
        work.orders += 1
        work.items += order.items
        work.service_ms += order.service_ms

    def slim(self) -> None:
        """No order can come any more: keep the percentile in place of the service times."""
        if self.services:
            self.p90_ms = percentile_90(self.services)
            self.services = []

    def row(self, names: tuple[str, int], local: LocalNames, final: bool, statuses: Any) -> Any:
        """The row of footfall_15m: `names` are store and number, `statuses` of doors and tills."""
        store, number = names
        orders = self.orders
        sales: int | None = 0
        currency: str | None = None
        if self.sales:
            currency, sales = next(iter(self.sales.items()))
            if len(self.sales) > 1:
                currency, sales = MIXED, None
        p90_ms = percentile_90(self.services) if self.services else self.p90_ms
        return (
            store,
            number * QUARTER_US,
            local.start,
            local.day,
            int(final),
            self.entries,
            self.exits,
            orders,
            self.items,
            sales,
            currency,
            self.service_ms / orders / 1000 if orders else None,
            p90_ms / 1000 if orders else None,
            self.waited_orders,
            self.waited_ms / self.waited_orders / 1000 if self.waited_orders else None,
            orders / self.entries if self.entries else None,
            *statuses,
            self.events,
            None if self.as_of == NOTHING_YET else self.as_of,
            self.version,
        )


def percentile_90(values: list[int]) -> int:
    """Of sorted values the smallest that nine of ten do not exceed (nearest rank)."""
    return values[(9 * len(values) + 9) // 10 - 1]
