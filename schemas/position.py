"""`stock.position.v1`: the live position of one SKU at one place, absolute and versioned."""

from __future__ import annotations

from datetime import datetime

import msgspec

from schemas.movement import Name

POSITION_TYPE = "stock.position.v1"


class Position(msgspec.Struct, gc=False, kw_only=True):
    """What schemas.warehouse.STOCK_POSITION holds of a pair, on the log; units are base units.

    A row is newer than another of its pair when its `version` is larger.
    """

    sku: Name
    place: Name
    pool: str
    on_hand: int
    allocated: int
    quarantined: int
    in_transit: int
    held_confirmed_seq: int
    available: int
    safety_stock: int
    days_of_cover: float | None
    demand_rate: float
    version: int
    as_of: datetime
