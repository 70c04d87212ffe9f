"""`phantom_suspected` alerts as rows of stock_alert."""

from __future__ import annotations

from typing import Any

import msgspec

from operators.stock.facts import Fact
from schemas.instants import format_instant

PHANTOM = "phantom_suspected"
SEVERITY = "warning"
ACTION = "count the shelf"

# A row of stock_alert, instants in us.
AlertRow = tuple[Any, ...]


class Suspicion(msgspec.Struct, array_like=True, gc=False):
    """An open suspicion, with the figures as they were when it was raised."""

    since: int
    raised_at: int
    probability: float
    expected: float
    threshold: float
    on_hand: int
    sales: float
    trade: float
    seen: dict[str, Any]


def seen_as(fact: Fact) -> dict[str, Any]:
    """The last sighting as evidence.

    Its event is called `event`: the stock flow takes back alerts whose first evidence has the `id`
    of an event that opened none of its own.
    """
    return {
        "kind": fact.movement.kind,
        "quantity": fact.movement.quantity,
        "time": format_instant(fact.time),
        "source": fact.source,
        "event": fact.id,
    }


def raised_row(one: Suspicion, sku: str, place: str) -> AlertRow:
    """The row of an open suspicion. It is about sales: none were seen, so many were expected."""
    return _row(one, sku, place, "raised", 0, [_silence(one)], one.raised_at, None)


def cleared_row(
    one: Suspicion, sku: str, place: str, why: dict[str, Any], time: int, sold: int
) -> AlertRow:
    """The row of a suspicion that is over: something was sold or counted, or none is on record."""
    at = max(time, one.raised_at)
    evidence = [_silence(one), why]
    return _row(one, sku, place, "cleared", sold, evidence, at, at)


def _row(
    one: Suspicion,
    sku: str,
    place: str,
    status: str,
    observed: int,
    evidence: list[dict[str, Any]],
    updated_at: int,
    cleared_at: int | None,
) -> AlertRow:
    level = max(1, round(one.expected))
    return (
        # Named by when the silence began: that is the same whenever somebody looked.
        f"{PHANTOM}/{sku}@{place}/{format_instant(one.since)}",
        PHANTOM,
        status,
        SEVERITY,
        sku,
        place,
        observed,
        level,
        1,
        max(0, level - observed),
        "[]",
        msgspec.json.encode(evidence).decode(),
        ACTION,
        one.since,
        updated_at,
        cleared_at,
    )


def _silence(one: Suspicion) -> dict[str, Any]:
    return {
        "kind": "silence",
        "on_hand": one.on_hand,
        "expected_sales": round(one.expected, 2),
        "probability": float(f"{one.probability:.3g}"),
        "threshold": float(f"{one.threshold:.3g}"),
        "sales_remembered": round(one.sales, 2),
        "share_of_trade": float(f"{one.sales / one.trade:.4g}"),
        "last_seen": one.seen,
        "time": format_instant(one.raised_at),
    }
