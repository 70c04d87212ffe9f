"""Read-outs of experiments into the warehouse, a look as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.experiment_tables import EXPERIMENT_RESULT
from schemas.tables import literal
from sinks.warehouse.address import Target
from sinks.warehouse.client import Warehouse
from sinks.warehouse.tuple_rows import newest_rows

_LOOK = ("journey", "journey_version", "experiment")
_ROW = ("metric", "arm", "against")


def store_results(target: Target, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write the rows of one look in place of what was there of it; other looks stay.

    The same facts read by other rules (another goal, other days) are the same look: of what was
    read before nothing is left that does not belong to it.

    Raises:
        WarehouseError: the warehouse cannot be used.
    """
    plain = [dict(zip(EXPERIMENT_RESULT.names, row, strict=True)) for row in rows]
    look = " AND ".join(f"{name} = {literal(plain[0][name])}" for name in _LOOK)
    as_of = literal(plain[0]["as_of"].isoformat())
    there = ", ".join("(" + ", ".join(literal(one[name]) for name in _ROW) + ")" for one in plain)
    warehouse = Warehouse(target)
    try:
        with warehouse.transaction():
            warehouse.upsert(EXPERIMENT_RESULT, newest_rows(EXPERIMENT_RESULT, rows))
            warehouse.write(
                f"DELETE FROM {EXPERIMENT_RESULT.name} WHERE {look} "
                f"AND as_of = TIMESTAMPTZ {as_of} AND ({', '.join(_ROW)}) NOT IN ({there})"
            )
    finally:
        warehouse.close()
