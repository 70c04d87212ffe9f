"""The warehouse's table of reservations: what became of each line of a hold."""

from __future__ import annotations

from schemas.tables import Column, Table

RESERVATION = Table(
    name="reservation",
    comment=(
        "What became of holds, as the hold gate told it: a row a reservation, SKU and place, in "
        "the newest state that was told. What moved to another place has a row at each."
    ),
    primary_key=("reservation", "sku", "place"),
    version="version",
    columns=(
        Column("reservation", "text", "id of the hold, its caller's"),
        Column("sku", "text", "stock keeping unit"),
        Column("place", "text", "the place of which units are claimed"),
        Column("state", "text", "held, confirmed, released, expired or expired_short"),
        Column("quantity", "integer", "claimed by this line, or given back", "units"),
        Column(
            "hold_seq",
            "integer",
            "number among the confirmed lines of the SKU and place, from 1; 0 in other states",
        ),
        Column("order", "text", "order that the hold is for", nullable=True),
        Column("channel", "text", "where the hold was made", nullable=True),
        Column("expires_at", "instant", "when it lapses; empty unless held", nullable=True),
        Column("updated_at", "instant", "time of the event that told this state"),
        Column("version", "integer", "from that event's time; of two states the larger counts"),
    ),
)
