"""`footfall.window.v1`: a quarter of an hour of a store, in figures."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

FOOTFALL_WINDOW_TYPE = "footfall.window.v1"

SensorStatus = Literal["ok", "silent", "closed"]


class FootfallWindow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One window as it is known now: absolute and versioned.

    `final`: the watermark has passed; a late event still makes a new version. Where a status is
    `silent`, sensors were dead: the figures that hang on them are too low, zero means nothing.
    Columns are explained in the warehouse's table `footfall_15m`.
    """

    store: str
    start: datetime
    local_start: str
    business_day: str
    final: bool
    entries: int
    exits: int
    orders: int
    items: int
    sales: int | None
    currency: str | None
    service_mean_seconds: float | None
    service_p90_seconds: float | None
    waited_orders: int
    waited_mean_seconds: float | None
    conversion: float | None
    door_status: SensorStatus
    till_status: SensorStatus
    events: int
    as_of: datetime | None
    version: int
