"""`stock.movement.v1`: what happened to units of one SKU at one place, a struct a kind.

A struct a kind lets the decoder itself check what each kind needs (msgspec picks it by `kind`), so
what reaches the rules is well formed. Unknown fields are left out of the way; a changed meaning
would be a new `.v2`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

MOVEMENT_TYPE = "stock.movement.v1"

# A bound keeps a typing error ("barcode scanned into the quantity field") out of every sum.
MAX_QUANTITY = 100_000_000

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Quantity = Annotated[
    int, msgspec.Meta(ge=1, le=MAX_QUANTITY, description="whole base units, 1 or more")
]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_QUANTITY, description="whole base units")]
Signed = Annotated[
    int,
    msgspec.Meta(ge=-MAX_QUANTITY, le=MAX_QUANTITY, description="whole base units, not 0"),
]
# What a database counts with.
Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
LocalDate = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$", description="a date")]


class _Movement(msgspec.Struct, gc=False, kw_only=True, tag_field="kind", omit_defaults=True):
    """What every kind carries; `gc=False` because a movement never refers to a container."""

    kind: ClassVar[str]

    sku: Name
    place: Name
    order: str | None = None
    line: str | None = None
    lot: str | None = None
    reason: str | None = None
    device: str | None = None
    device_seq: Integer | None = None


class _Goods(_Movement, gc=False, kw_only=True, omit_defaults=True):
    """Goods whose origin and shelf life matter: not needed for what leaves with a customer."""

    expires_on: LocalDate | None = None
    from_place: str | None = None
    to_place: str | None = None
    transfer: str | None = None


class Received(_Goods, tag="received"):
    """Goods came in: on hand +."""

    kind: ClassVar[str] = "received"
    quantity: Quantity


class Sold(_Movement, tag="sold"):
    """Sold at a till: on hand -, never refused, for the goods are gone."""

    kind: ClassVar[str] = "sold"
    quantity: Quantity


class Returned(_Goods, tag="returned"):
    """Brought back by a customer, not sellable yet: quarantine +."""

    kind: ClassVar[str] = "returned"
    quantity: Quantity


class Restocked(_Goods, tag="restocked"):
    """Found good after a return: quarantine -, on hand +."""

    kind: ClassVar[str] = "restocked"
    quantity: Quantity


class WrittenOff(_Goods, tag="written_off"):
    """Found bad after a return: quarantine -."""

    kind: ClassVar[str] = "written_off"
    quantity: Quantity


class Allocated(_Movement, tag="allocated"):
    """Claimed by a placed order: allocated +."""

    kind: ClassVar[str] = "allocated"
    quantity: Quantity


class Released(_Movement, tag="released"):
    """The claim of a placed order given back: allocated -."""

    kind: ClassVar[str] = "released"
    quantity: Quantity


class Shipped(_Movement, tag="shipped"):
    """An order's units left, all or some: on hand -, allocated -."""

    kind: ClassVar[str] = "shipped"
    quantity: Quantity


class TransferOut(_Goods, tag="transfer_out"):
    """Sent to another place: on hand - here, in transit + at `to_place`."""

    kind: ClassVar[str] = "transfer_out"
    quantity: Quantity
    to_place: Name

    def __post_init__(self) -> None:
        """A transfer to the place it leaves is a typing error."""
        if self.to_place == self.place:
            msg = f"to_place is the place itself ({self.place})"
            raise ValueError(msg)


class TransferIn(_Goods, tag="transfer_in"):
    """Arrived from another place: in transit -, on hand +; what is missing stays in transit."""

    kind: ClassVar[str] = "transfer_in"
    quantity: Quantity


class Adjusted(_Goods, tag="adjusted"):
    """On hand put right by a signed quantity, with a reason."""

    kind: ClassVar[str] = "adjusted"
    quantity: Signed
    reason: Name

    def __post_init__(self) -> None:
        """Zero adjusts nothing."""
        if self.quantity == 0:
            msg = "quantity of an adjustment is 0"
            raise ValueError(msg)


class Counted(_Goods, tag="counted"):
    """On hand at the event's time was `quantity`; movements with a later time count on top."""

    kind: ClassVar[str] = "counted"
    quantity: Count


class Corrected(_Movement, tag="corrected"):
    """Takes back the event of the same source whose id is `corrects`."""

    kind: ClassVar[str] = "corrected"
    corrects: Name
    quantity: Integer | None = None


class Confirmed(_Movement, tag="confirmed"):
    """A paid hold becomes a placed order: allocated +. The hold gate says so, no movement event.

    `hold_seq` numbers the confirmed holds of one SKU and place from 1 on.
    """

    kind: ClassVar[str] = "confirmed"
    quantity: Quantity
    hold_seq: Integer


Movement = (
    Received
    | Sold
    | Returned
    | Restocked
    | WrittenOff
    | Allocated
    | Released
    | Shipped
    | TransferOut
    | TransferIn
    | Adjusted
    | Counted
    | Corrected
)

# What the ledger works on: movements, and what the hold gate confirmed.
LedgerMovement = Movement | Confirmed

KINDS: tuple[str, ...] = (
    "received",
    "sold",
    "returned",
    "restocked",
    "written_off",
    "allocated",
    "released",
    "shipped",
    "transfer_out",
    "transfer_in",
    "adjusted",
    "counted",
    "corrected",
)
