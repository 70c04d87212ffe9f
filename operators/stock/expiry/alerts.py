"""`expiring_lot` alerts as rows of stock_alert."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.instants import format_instant

EXPIRING = "expiring_lot"
BEFORE, AFTER = "warning", "high"

# A row of stock_alert, instants in us.
AlertRow = tuple[Any, ...]


class Expiring(msgspec.Struct, array_like=True, gc=False):
    """What is, or was last, told of a lot: `sold` of its `units` will be sold by `end` (us)."""

    sku: str
    place: str
    lot: str | None
    expires_on: str
    end: int
    units: int
    sold: int
    rate: float
    expired: bool
    opened_at: int

    @property
    def alert(self) -> str:
        """Named by what it is about: that is the same whenever somebody looked."""
        named = "" if self.lot is None else f"/{self.lot}"
        return f"{EXPIRING}/{self.sku}@{self.place}/{self.expires_on}{named}"

    @property
    def over(self) -> int:
        """Units that will not be sold in time."""
        return self.units - self.sold


def open_row(one: Expiring, status: str, at: int) -> AlertRow:
    """The row of an open alert, `raised` or `updated`: so many of so many units will be sold."""
    return _row(one, status, one.sold, at, None)


def cleared_row(one: Expiring, units: int, at: int) -> AlertRow:
    """The row of an alert that is over: `units` of the lot are left, and will be sold in time."""
    at = max(at, one.opened_at)
    return _row(one, "cleared", one.units, at, at, {"kind": "left", "units": units})


def _row(
    one: Expiring,
    status: str,
    observed: int,
    updated_at: int,
    cleared_at: int | None,
    *more: dict[str, Any],
) -> AlertRow:
    lot = {
        "kind": "lot",
        "lot": one.lot,
        "expires_on": one.expires_on,
        "expires_at": format_instant(one.end),
        "units": one.units,
        "sold_in_time": one.sold,
        "demand_rate": round(one.rate, 3),
    }
    action = f"mark down {one.over}, or move them to where they sell faster"
    if one.expired:
        action = f"take {one.units} off the shelf: their last day is over"
    return (
        one.alert,
        EXPIRING,
        status,
        AFTER if one.expired else BEFORE,
        one.sku,
        one.place,
        observed,
        one.units,
        one.units,
        one.units - observed,
        "[]",
        msgspec.json.encode([lot, *more]).decode(),
        action,
        one.opened_at,
        updated_at,
        cleared_at,
    )
