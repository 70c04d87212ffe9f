"""Rows of `stock_position` from the ledger's places, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from operators.stock.place import PlaceState


def position_columns(places: Sequence[PlaceState]) -> list[list[Any]]:
    """The columns of schemas.warehouse.STOCK_POSITION, one value a place; instants in us.

    The version is how many facts have touched the place, corrections included, so that those taken
    back count twice; it is as of the newest of them. Columns rather than rows: building them costs
    a third, and Arrow takes them as they are.
    """
    available = [place.on_hand - place.allocated - place.rule.floor for place in places]
    rates = [place.demand_rate for place in places]
    return [
        [place.sku for place in places],
        [place.place for place in places],
        [place.pool for place in places],
        [place.on_hand for place in places],
        [place.allocated for place in places],
        [place.quarantined for place in places],
        [place.in_transit for place in places],
        [place.held_seq for place in places],
        available,
        [place.level for place in places],
        [
            max(units, 0) / rate if rate > 0 else None
            for units, rate in zip(available, rates, strict=True)
        ],
        rates,
        [place.facts + place.corrections for place in places],
        [place.tip if place.tip > place.corrected_at else place.corrected_at for place in places],
    ]
