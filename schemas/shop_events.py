"""`store.visit.v1` and `pos.order.v1`: what doors and tills report of a shop."""

from __future__ import annotations

from typing import Annotated

import msgspec

from schemas.movement import Name

VISIT_TYPE = "store.visit.v1"
ORDER_TYPE = "pos.order.v1"

Heads = Annotated[int, msgspec.Meta(ge=0, le=100_000, description="people")]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400, description="seconds")]
Money = Annotated[int, msgspec.Meta(description="minor units (fen, cents) of `currency`")]


class Visit(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """People through one door since that door's last report."""

    store: Name
    door: Name
    in_: Heads = msgspec.field(name="in", default=0)
    out: Heads = 0


class OrderLine(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """One line of a till order."""

    sku: Name
    quantity: int
    amount: Money | None = None


class Order(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One order rung up at a till."""

    store: Name
    order: Name
    opened_at: str
    items: Annotated[int, msgspec.Meta(ge=0)]
    amount: Money
    service_seconds: Seconds
    currency: str = "CNY"
    waited_seconds: Seconds | None = None
    employee: str | None = None
    task: str | None = None
    member: str | None = None
    channel: str | None = None
    lines: list[OrderLine] = []
