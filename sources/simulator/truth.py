"""The hidden truth as tables: what really happened, and what went wrong on its way to the events.

Rows are plain tuples in the order of `TABLES[name].names`; instants are microseconds since 1970
UTC. They pile up while the chain is played and are taken away by whoever writes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from schemas.envelope import MovementEvent, OrderEvent, VisitEvent
from schemas.tables import Column, Table

PLACE_SKU = (
    Column("place", "text", "store or warehouse"),
    Column("sku", "text", "stock keeping unit"),
)

ON_HAND = Table(
    "on_hand",
    "What was really there: every day at 04:00 of the first city, and at the end.",
    ("at", "place", "sku"),
    (
        Column("at", "instant", "when"),
        *PLACE_SKU,
        Column("on_hand", "integer", "really on the shelf", "units"),
        Column("claimed", "integer", "of these, promised to open orders", "units"),
        Column("quarantined", "integer", "returned and not yet judged", "units"),
        Column("in_transit", "integer", "really on the road to the place", "units"),
    ),
)
RECORDED = Table(
    "recorded",
    "What a perfect reader of all events computes at the end.",
    ("place", "sku"),
    (
        *PLACE_SKU,
        Column("on_hand", "integer", "by all events", "units"),
        Column("allocated", "integer", "by all events", "units"),
        Column("quarantined", "integer", "by all events", "units"),
        Column("in_transit", "integer", "by all events", "units"),
        Column("true_on_hand", "integer", "what is really on the shelf at the end", "units"),
    ),
)
PROMISES = Table(
    "promises",
    "Every line promised to a customer order, and what became of it.",
    ("promise",),
    (
        Column("promise", "text", "order, line and place"),
        Column("order", "text", "the customer order"),
        Column("line", "text", "its line"),
        Column("channel", "text", "where it was ordered"),
        Column("sku", "text", "stock keeping unit"),
        Column("place", "text", "the place that promised"),
        Column("quantity", "integer", "promised", "units"),
        Column("placed_at", "instant", "when it was promised"),
        Column("seen", "integer", "what the channel believed it could promise", "units"),
        Column("recorded", "integer", "what all events made until then said", "units"),
        Column("true_on_hand", "integer", "really on the shelf", "units"),
        Column("true_claimed", "integer", "of these, promised to others already", "units"),
        Column("fulfillable", "integer", "1 where true on hand less true claims sufficed"),
        Column("why_not", "text", "phantom, undelivered or cached_view; empty if fulfillable"),
        Column(
            "outcome",
            "text",
            "kept, broken, cancelled, moved (to another place) or open at the end",
        ),
        Column("outcome_at", "instant", "when that was known", nullable=True),
        Column("shipped", "integer", "really shipped", "units"),
        Column("broken_by", "text", "why_not, or taken_after: fulfillable when it was promised"),
    ),
)
CARTS = Table(
    "carts",
    "Every line of every cart: paid for, given up, or refused for want of stock.",
    ("cart", "line"),
    (
        Column("cart", "text", "id"),
        Column("line", "text", "number of the line"),
        Column("channel", "text", "where it was filled"),
        Column("city", "text", "where it is to go"),
        Column("sku", "text", "stock keeping unit"),
        Column("quantity", "integer", "wanted", "units"),
        Column("first_place", "text", "the place that is asked first"),
        Column("created_at", "instant", "when it was filled"),
        Column("paid_at", "instant", "when it was paid for; empty if it was not", nullable=True),
        Column("abandoned_at", "instant", "when it was given up", nullable=True),
        Column("order", "text", "the order it became; empty if it was not paid for"),
        Column("promised", "integer", "1 where a place promised it, 0 where none could"),
    ),
)
IMPERFECTIONS = Table(
    "imperfections",
    "Everything that went wrong between what happens and what is known.",
    ("number",),
    (
        Column("number", "integer", "in the order of the simulation"),
        Column("kind", "text", "see docs/simulator.md"),
        Column("source", "text", "sender of the event; empty without one"),
        Column("event", "text", "id of the event; empty without one"),
        Column("place", "text", "store, door's store or warehouse"),
        Column("sku", "text", "stock keeping unit; empty without one"),
        Column("happened_at", "instant", "when it really happened"),
        Column("arrived_at", "instant", "when it was known; empty: never", nullable=True),
        Column("quantity", "integer", "units, or copies of a duplicate"),
        Column("detail", "text", "what else there is to say"),
    ),
)
INTENSITY = Table(
    "intensity",
    "Every open quarter of an hour of every shop: expected and real footfall, staff, queue.",
    ("store", "start"),
    (
        Column("store", "text", "shop"),
        Column("start", "instant", "begin of the quarter"),
        Column("day", "text", "the shop's local day"),
        Column("intensity", "real", "mean number of people who come in", "people"),
        Column("profile", "real", "this quarter's share of an average day"),
        Column("week", "real", "factor of the day of the week"),
        Column("special", "real", "factor of a holiday"),
        Column("weather", "real", "factor of the weather"),
        Column("campaign", "real", "factor of a campaign"),
        Column("shock", "real", "factor nobody can know"),
        Column("entered", "integer", "people who came in", "people"),
        Column("left", "integer", "people who went out", "people"),
        Column("joined", "integer", "customers who came to the counter", "people"),
        Column("gave_up", "integer", "of these, those who would not wait", "people"),
        Column("served", "integer", "customers whose service ended", "people"),
        Column("waited", "real", "sum of the waits of those served", "seconds"),
        Column("heads", "integer", "staff on duty at the begin", "people"),
    ),
)
SHIFTS = Table(
    "shifts",
    "Who was on duty.",
    ("store", "employee", "start"),
    (
        Column("store", "text", "shop"),
        Column("employee", "text", "pseudonym"),
        Column("grade", "integer", "1 (new) to 4"),
        Column("pace", "real", "hidden: multiplies service times"),
        Column("till", "integer", "number of the till"),
        Column("start", "instant", "begin"),
        Column("end", "instant", "end"),
    ),
)
DEMAND = Table(
    "demand",
    "Each SKU at each shop: the hidden demand and what became of it.",
    ("place", "sku"),
    (
        *PLACE_SKU,
        Column("share", "real", "hidden share of the shop's order lines"),
        Column("units_per_day", "real", "asked for on an average day", "units"),
        Column("wanted", "integer", "asked for at the counter", "units"),
        Column("sold", "integer", "sold at the counter", "units"),
        Column("lost", "integer", "asked for and not there", "units"),
    ),
)
MEMBERS = Table(
    "members",
    "Members with their hidden rates.",
    ("member",),
    (
        Column("member", "text", "pseudonym"),
        Column("store", "text", "favourite shop"),
        Column("purchases_per_day", "real", "hidden rate while a member stays"),
        Column("drop_chance", "real", "hidden chance to drop out after a purchase"),
        Column("joined_at", "instant", "when the member joined"),
        Column("purchases_before", "integer", "purchases before the start"),
        Column("purchases", "integer", "purchases in the run"),
        Column("dropped", "integer", "1 where the member will never buy again"),
        Column("dropped_at", "instant", "when; empty: before the start or not", nullable=True),
    ),
)
FLOWS = Table(
    "flows",
    "Where the units of each SKU came from and went to, over the whole chain.",
    ("sku", "flow"),
    (
        Column("sku", "text", "stock keeping unit"),
        Column("flow", "text", "opening, received, sold, shipped, returned, written_off, ..."),
        Column("quantity", "integer", "in the run", "units"),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        ON_HAND,
        RECORDED,
        PROMISES,
        CARTS,
        IMPERFECTIONS,
        INTENSITY,
        SHIFTS,
        DEMAND,
        MEMBERS,
        FLOWS,
    )
}
Row = tuple[Any, ...]


class Truth:
    """Rows of all tables, until somebody takes them."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {name: [] for name in TABLES}
        self.imperfections: Counter[str] = Counter()

    def add(self, table: str, row: Row) -> None:
        """One row."""
        self.rows[table].append(row)

    def take(self, table: str) -> list[Row]:
        """All rows of a table that nobody has taken yet."""
        rows = self.rows[table]
        self.rows[table] = []
        return rows

    def imperfection(
        self,
        kind: str,
        event: MovementEvent | VisitEvent | OrderEvent,
        at_ms: int,
        arrival_ms: int | None,
        *,
        quantity: int = 0,
        detail: str = "",
    ) -> None:
        """Something went wrong with an event."""
        data = event.data
        place = str(getattr(data, "place", None) or getattr(data, "store", ""))
        sku = str(getattr(data, "sku", ""))
        self._imperfection(
            (kind, event.source, event.id, place, sku), at_ms, arrival_ms, quantity, detail
        )

    def hidden(
        self,
        kind: str,
        place: str,
        sku: str,
        at_ms: int,
        *,
        quantity: int,
        known_ms: int | None = None,
        detail: str = "",
        source: str = "",
        event: str = "",
    ) -> None:
        """Something happened that no event tells of, or that its event tells wrongly."""
        self._imperfection((kind, source, event, place, sku), at_ms, known_ms, quantity, detail)

    def _imperfection(
        self,
        names: Sequence[str],
        at_ms: int,
        arrival_ms: int | None,
        quantity: int,
        detail: str,
    ) -> None:
        self.imperfections[names[0]] += 1
        number = self.imperfections.total()
        known = None if arrival_ms is None else arrival_ms * 1_000
        row = (number, *names, at_ms * 1_000, known, quantity, detail)
        self.rows["imperfections"].append(row)
