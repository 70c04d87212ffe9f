"""What the roster flow hands on."""

from __future__ import annotations

from typing import Any, NamedTuple

from operators.stock.refusals import Refusal
from schemas.staffing import StaffingAlert

Row = tuple[Any, ...]


class StaffingOutcome(NamedTuple):
    """Rows of forecast_15m, forecast_span and staffing_15m, alerts; what could not be done."""

    quarters: list[Row]
    spans: list[Row]
    staffing: list[Row]
    alerts: list[StaffingAlert]
    problems: list[str]
    refusals: list[Refusal]
    applied: int = 0

    @classmethod
    def empty(cls, applied: int = 0) -> StaffingOutcome:
        """Nothing yet."""
        return cls([], [], [], [], [], [], applied)
