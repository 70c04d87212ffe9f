"""`stock.alert.v1`: an alert as it was raised, changed and cleared."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from schemas.movement import Name

ALERT_TYPE = "stock.alert.v1"

# An id holds type, SKU, place and time.
AlertId = Annotated[str, msgspec.Meta(min_length=1, max_length=600)]
AlertType = Literal[
    "oversell",
    "oversell_risk",
    "negative_on_hand",
    "stock_out",
    "below_safety_stock",
    "phantom_suspected",
    "transfer_discrepancy",
    "expiring_lot",
    "drift",
]
AlertStatus = Literal["raised", "updated", "cleared"]
Severity = Literal["critical", "high", "warning"]


class Alert(msgspec.Struct, kw_only=True):
    """One state of an alert; `alert` is its id, stable while it is open.

    The figure `observed` is below `level`; the alert is cleared at `clear_level` or more. `claims`
    are the competing sales, holds and allocations, newest first; `evidence` the events behind it.
    """

    alert: AlertId
    alert_type: AlertType
    status: AlertStatus
    severity: Severity
    sku: Name
    place: Name
    observed: int
    level: int
    clear_level: int
    shortfall: int
    claims: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    suggested_action: str
    opened_at: datetime
    updated_at: datetime
    cleared_at: datetime | None = None
