"""What all events together say: the answer a perfect reader of the whole file would give.

Kept at the moment each event is made, in the order of what happened, so it needs neither sorting
nor a memory of events, and shares no code with the operators that are measured against it.
"""

from __future__ import annotations

NEVER_MS = -(10**15)
# kind -> (on hand, allocated, quarantined) for one unit at the place
EFFECTS: dict[str, tuple[int, int, int]] = {
    "received": (1, 0, 0),
    "sold": (-1, 0, 0),
    "returned": (0, 0, 1),
    "restocked": (1, 0, -1),
    "written_off": (0, 0, -1),
    "allocated": (0, 1, 0),
    "released": (0, -1, 0),
    "shipped": (-1, -1, 0),
    "transfer_out": (-1, 0, 0),
    "transfer_in": (1, 0, 0),
    "adjusted": (1, 0, 0),
}


class Records:
    """Recorded positions per place and SKU, and how much of them is still on its way.

    `pending` is the part of on hand that rests on events which were made but not delivered yet:
    what a channel sees is the record less that part.
    """

    def __init__(self, places: int, skus: int) -> None:
        self.on_hand, self.allocated, self.quarantined, self.in_transit, self.pending = (
            [[0] * skus for _ in range(places)] for _ in range(5)
        )
        self.events = [[0] * skus for _ in range(places)]
        self._counted_ms = [[NEVER_MS] * skus for _ in range(places)]
        self._count_number = [[0] * skus for _ in range(places)]

    def apply(self, kind: str, place: int, sku: int, units: int, at_ms: int, to: int) -> None:
        """Books one event of a kind at its time; `to` is the target of a `transfer_out`.

        An event that is made known after a later count was taken is inside that count: it no
        longer moves on hand, but all else.
        """
        on_hand, allocated, quarantined = EFFECTS[kind]
        if at_ms > self._counted_ms[place][sku]:
            self.on_hand[place][sku] += on_hand * units
        self.allocated[place][sku] += allocated * units
        self.quarantined[place][sku] += quarantined * units
        if kind == "transfer_out":
            self.in_transit[to][sku] += units
        elif kind == "transfer_in":
            self.in_transit[place][sku] -= units

    def take_back(self, kind: str, place: int, sku: int, units: int, at_ms: int) -> None:
        """Undoes an event that happened at `at_ms`, as if it had never been."""
        self.apply(kind, place, sku, -units, at_ms, place)

    def count(self, place: int, sku: int, units: int, at_ms: int) -> None:
        """Rebases on hand; counts are made in the order of their times."""
        self.on_hand[place][sku] = units
        self._counted_ms[place][sku] = at_ms

    def promisable(self, place: int, sku: int) -> int:
        """On hand less allocated, by all events made so far."""
        return self.on_hand[place][sku] - self.allocated[place][sku]

    def delay(self, place: int, sku: int, units: int) -> int:
        """Notes that `units` of on hand are not known yet; answers the number of counts known."""
        self.pending[place][sku] += units
        return self._count_number[place][sku]

    def arrive(self, place: int, sku: int, units: int, count_number: int) -> None:
        """The event behind a `delay` is delivered; a count that was known since has settled it."""
        if count_number == self._count_number[place][sku]:
            self.pending[place][sku] -= units

    def settle(self, place: int, sku: int) -> None:
        """A count is known at once: what was on its way before it does not matter any more."""
        self.pending[place][sku] = 0
        self._count_number[place][sku] += 1

    def visible(self, place: int, sku: int) -> int:
        """What can be promised by the events delivered so far."""
        return self.promisable(place, sku) - self.pending[place][sku]
