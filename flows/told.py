"""What the warehouse shows as alerts when a flow starts, on its way to the resumed ledger."""

from __future__ import annotations

from pathlib import Path

import msgspec

from operators.stock.told import ToldAlert, ToldAlerts
from sinks.warehouse.client import Warehouse

FILE = "told.msgpack"
# Only alerts of the ledger's window can come out otherwise, and only a SKU's newest event says
# where that window begins.
_WITHIN_THE_WINDOW = """
SELECT alert, sku, place, evidence->>'$[0].source', evidence->>'$[0].id', epoch_us(opened_at)
FROM stock_alert
JOIN (SELECT sku, max(as_of) AS newest FROM stock_position GROUP BY sku) USING (sku)
WHERE opened_at >= newest - to_hours(?) AND (evidence->>'$[0].id') IS NOT NULL
"""


def note_told(warehouse: Warehouse, folder: Path, horizon_hours: float) -> None:
    """Write down, in the recovery folder, what the warehouse shows."""
    rows = warehouse.execute(_WITHIN_THE_WINDOW, [int(horizon_hours) + 1])
    (folder / FILE).write_bytes(msgspec.msgpack.encode(rows))


def read_told(folder: Path) -> ToldAlerts:
    """What the warehouse showed when this run was prepared; nothing where nobody wrote it down."""
    try:
        packed = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return ToldAlerts()
    return ToldAlerts(msgspec.msgpack.decode(packed, type=list[ToldAlert]))
