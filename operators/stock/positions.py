"""Rows of `stock_position` from the ledger's places, column by column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from operators.stock.places import COLUMN, Integers, Places
from operators.stock.rules import StockRules


def position_rows(columns: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of the columns of `position_columns`, in plain values."""
    plain = (column.tolist() if isinstance(column, np.ndarray) else column for column in columns)
    return zip(*plain, strict=True)


def position_columns(places: Places, numbers: Integers, rules: StockRules) -> list[Any]:
    """The columns of schemas.warehouse.STOCK_POSITION, lists or arrays; instants in us.

    The version is how many facts have touched the place, corrections included, so that those taken
    back count twice; it is as of the newest of them. Columns rather than rows: building them costs
    a tenth, and Arrow takes them as they are.
    """
    cells = places.cells[numbers]

    def column(name: str) -> Integers:
        return np.ascontiguousarray(cells[:, COLUMN[name]])

    several = numbers.tolist()
    names = [places.names[number] for number in several]
    on_hand, allocated = column("on_hand"), column("allocated")
    available = on_hand - allocated - places.floors[numbers]
    rates = np.where(column("days") > 0, column("mean") / 1000, column("today"))
    cover = np.zeros(len(rates))
    sells = rates > 0
    np.divide(np.maximum(available, 0), rates, out=cover, where=sells)
    return [
        [places.skus[number] for number in several],
        names,
        list(map(rules.pool, names)),
        on_hand,
        allocated,
        column("quarantined"),
        column("in_transit"),
        column("held_seq"),
        available,
        column("level"),
        [days if sold else None for days, sold in zip(cover.tolist(), sells, strict=True)],
        rates,
        column("facts") + column("corrections"),
        np.maximum(column("tip"), column("corrected_at")),
    ]
