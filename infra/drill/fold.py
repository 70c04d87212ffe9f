"""What must stand in the positions: a plain fold over the records that were sent.

It shares no line with the operators that it judges, and knows nothing of arrival, batches or
versions: duplicates are one event, what a correction names never was, a count holds at its time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas.instants import parse_instant
from schemas.movement import MOVEMENT_TYPE
from sinks.kafka.events import OutRecord

Pair = tuple[str, str]

ON_HAND = {
    "received": 1,
    "sold": -1,
    "restocked": 1,
    "shipped": -1,
    "transfer_out": -1,
    "transfer_in": 1,
    "adjusted": 1,
}
ALLOCATED = {"allocated": 1, "released": -1, "shipped": -1}
QUARANTINED = {"returned": 1, "restocked": -1, "written_off": -1}


@dataclass(slots=True)
class Stock:
    """Units of one SKU at one place."""

    on_hand: int = 0
    allocated: int = 0
    quarantined: int = 0
    in_transit: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """One movement that was sent."""

    source: str
    id: str
    at_us: int
    data: dict[str, Any]


def movements(records: Iterable[OutRecord]) -> Iterable[Sent]:
    """The movements among what was sent."""
    for record in records:
        if record.topic != MOVEMENT_TYPE or record.value is None:
            continue
        named = {name: (value or b"").decode() for name, value in record.headers}
        yield Sent(
            named["ce_source"],
            named["ce_id"],
            parse_instant(named["ce_time"]),
            msgspec.json.decode(record.value),
        )


def fold(
    sent: Iterable[Sent], counts: Callable[[Sent], bool] = lambda _: True
) -> dict[Pair, Stock]:
    """The positions that these movements lead to, but for what the gate confirms."""
    events = {(one.data["sku"], one.source, one.id): one for one in sent if counts(one)}
    touched = [(one.data["sku"], one.data["place"]) for one in events.values()]
    for one in list(events.values()):
        if one.data["kind"] == "corrected":
            key = (one.data["sku"], one.source, one.data["corrects"])
            events.pop((one.data["sku"], one.source, one.id))
            events.pop(key, None)
    counted: dict[Pair, tuple[int, str, int]] = {}
    for one in events.values():
        pair = (one.data["sku"], one.data["place"])
        if one.data["kind"] == "counted":
            found = (one.at_us, one.id, one.data["quantity"])
            counted[pair] = max(found, counted.get(pair, found))
    # What was taken back leaves a row of nothing.
    stock: defaultdict[Pair, Stock] = defaultdict(Stock, {pair: Stock() for pair in touched})
    for pair, (_, _, units) in counted.items():
        stock[pair].on_hand = units
    for one in events.values():
        kind, units = one.data["kind"], one.data["quantity"]
        pair = (one.data["sku"], one.data["place"])
        here = stock[pair]
        if pair not in counted or one.at_us > counted[pair][0]:
            here.on_hand += ON_HAND.get(kind, 0) * units
        here.allocated += ALLOCATED.get(kind, 0) * units
        here.quarantined += QUARANTINED.get(kind, 0) * units
        if kind == "transfer_out":
            stock[one.data["sku"], one.data["to_place"]].in_transit += units
        elif kind == "transfer_in":
            here.in_transit -= units
    return dict(stock)
