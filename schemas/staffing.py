"""`staffing.alert.v1`: a stretch of a running day where the roster is off the need."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from schemas.alert import AlertStatus, Severity
from schemas.movement import Name

STAFFING_ALERT_TYPE = "staffing.alert.v1"

StaffingAlertType = Literal["short_staffed", "over_staffed"]
Move = Literal["stay", "go", "call"]


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that could be done, legal by the shop's rules; money is minor units.

    `stay`: longer, until `ends`; `go`: home already at `ends`; `call`: comes in from `starts` to
    `ends`. `pay_change` has the overtime in it; `waiting_change` is what the wait of customers
    costs more (below 0: less); `together`: one of those that, all done, end the stretch.
    """

    move: Move
    employee: str
    starts: str
    ends: str
    minutes: int
    task: str
    pay_change: int
    waiting_change: int
    covers: int
    together: bool
    words: str

    @property
    def net(self) -> int:
        """What it costs, all in all; below 0 it pays."""
        return self.pay_change + self.waiting_change


class StaffingAlert(msgspec.Struct, kw_only=True):
    """One state of an alert; `alert` is its id, stable while it is open.

    Columns are explained in the warehouse's table `staffing_alert`.
    """

    alert: Name
    alert_type: StaffingAlertType
    status: AlertStatus
    severity: Severity
    store: Name
    task: str
    day: str
    starts: str
    ends: str
    heads: int
    amount: int
    level: int
    clear_level: int
    measure: str | None
    off: float | None
    since: str | None
    reason: str
    proposals: list[Proposal]
    opened_at: datetime
    updated_at: datetime
    cleared_at: datetime | None = None
