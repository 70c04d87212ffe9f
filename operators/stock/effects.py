"""What each kind of movement does to the figures of a place (DESIGN section 3)."""

from __future__ import annotations

from schemas.movement import (
    Adjusted,
    Allocated,
    Confirmed,
    Received,
    Released,
    Restocked,
    Returned,
    Shipped,
    Sold,
    TransferIn,
    TransferOut,
    WrittenOff,
)

# kind -> what one unit of `quantity` adds to (on hand, allocated, quarantined, in transit).
# `counted` rebases and `corrected` takes back: neither is a sum, the ledger knows them by class.
EFFECTS: dict[type, tuple[int, int, int, int]] = {
    Received: (1, 0, 0, 0),
    Sold: (-1, 0, 0, 0),
    Returned: (0, 0, 1, 0),
    Restocked: (1, 0, -1, 0),
    WrittenOff: (0, 0, -1, 0),
    Allocated: (0, 1, 0, 0),
    Confirmed: (0, 1, 0, 0),
    Released: (0, -1, 0, 0),
    Shipped: (-1, -1, 0, 0),
    TransferOut: (-1, 0, 0, 0),
    TransferIn: (1, 0, 0, -1),
    Adjusted: (1, 0, 0, 0),
}

# The same `transfer_out`, seen from the place the goods are on their way to.
INBOUND: tuple[int, int, int, int] = (0, 0, 0, 1)

# Units that leave to customers: what demand is measured by.
DEMAND: frozenset[type] = frozenset({Sold, Shipped})
# Kinds that place an order's claim, and all that change how much of one is still open.
ORDERED: frozenset[type] = frozenset({Allocated, Confirmed})
CLAIMS: frozenset[type] = ORDERED | {Released, Shipped}
