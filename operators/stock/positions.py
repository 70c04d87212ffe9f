"""Rows of `stock_position` from the ledger's places, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from operators.stock.place import PlaceState

# No hold gate feeds the flow yet, so no position contains a confirmed hold.
NO_HOLDS = 0


def position_columns(places: Sequence[PlaceState]) -> list[list[Any]]:
    """The columns of schemas.warehouse.STOCK_POSITION, one value a place; instants in us.

    Columns rather than rows: building them costs a third, and Arrow takes them as they are.
    """
    figures = [place.figures for place in places]
    on_hand = [figure.on_hand for figure in figures]
    allocated = [figure.allocated for figure in figures]
    available = [
        figure.on_hand - figure.allocated - place.rule.floor
        for place, figure in zip(places, figures, strict=True)
    ]
    rates = [figure.demand_rate for figure in figures]
    return [
        [place.sku for place in places],
        [place.place for place in places],
        [place.pool for place in places],
        on_hand,
        allocated,
        [figure.quarantined for figure in figures],
        [figure.in_transit for figure in figures],
        [NO_HOLDS] * len(places),
        available,
        [figure.level for figure in figures],
        [
            max(units, 0) / rate if rate > 0 else None
            for units, rate in zip(available, rates, strict=True)
        ],
        rates,
        [place.version for place in places],
        [place.as_of for place in places],
    ]
