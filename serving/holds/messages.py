"""What goes over the wire: requests, answers and problems, with the words of the OpenAPI page."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.coupons import Names
from schemas.movement import Name
from schemas.reservation import ReservationState

MAX_LINES = 100
MAX_PLACES = 500
# An id is a part of an address.
ID_PATTERN = "^[^/\\x00-\\x1f\\x7f]+$"

Units = Annotated[int, Meta(ge=1, le=100_000_000, description="Base units, from 1.", examples=[2])]
Seconds = Annotated[float, Meta(gt=0, description="Seconds from now.", examples=[600])]
Sku = Annotated[Name, Meta(description="The SKU.", examples=["TEA-500"])]
HoldId = Annotated[
    Name,
    Meta(
        pattern=ID_PATTERN,
        description="The caller's own id of the hold, without `/`. The same request again "
        "answers the hold as it is now, so a request may be repeated after a timeout.",
        examples=["cart-81-3"],
    ),
]


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of one SKU that are wanted."""

    sku: Sku
    quantity: Units
    place: Annotated[
        Name | None,
        Meta(description="Only from this place; left out: wherever the pool has them."),
    ] = None


class Preference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where lines without a place are taken from."""

    order: Annotated[
        Annotated[list[Name], Meta(max_length=MAX_PLACES)] | None,
        Meta(
            description="Places by preference, nearest first; the others follow, most available "
            "first.",
            examples=[["S001", "S007"]],
        ),
    ] = None
    single_place: Annotated[bool, Meta(description="All lines from one place, or none at all.")] = (
        False
    )
    split: Annotated[bool, Meta(description="One SKU may come from several places.")] = True


class HoldRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units to be held for a time: all lines or none."""

    lines: Annotated[list[Line], Meta(min_length=1, max_length=MAX_LINES)]
    id: HoldId | None = None
    ttl_seconds: Annotated[
        Seconds | None, Meta(description="How long; left out: the server's default.")
    ] = None
    order: Annotated[
        Name | None, Meta(description="The order it is for; alerts name it.", examples=["O-81"])
    ] = None
    customer: Annotated[
        Name | None,
        Meta(
            description="Whose hold it is, for the caps per customer. Made a pseudonym before it "
            "is stored."
        ),
    ] = None
    replaces: Annotated[
        Name | None,
        Meta(
            description="An older hold of the same customer that is given back in the same step, "
            "so that a changed cart never competes with itself."
        ),
    ] = None
    placing: Preference | None = None


class ExtendRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A later end."""

    ttl_seconds: Seconds


class HeldLine(msgspec.Struct, frozen=True):
    """Units of one SKU that are claimed at one place."""

    sku: Sku
    place: Annotated[str, Meta(examples=["S001"])]
    quantity: Units


class HoldAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A hold as it is now."""

    id: HoldId
    state: Annotated[
        ReservationState,
        Meta(
            description="held: until expires_at. confirmed: paid, lapses no more. released, "
            "expired: given back. expired_short: paid too late and the units are gone: refund."
        ),
    ]
    expires_at: Annotated[datetime, Meta(examples=["2026-11-23T10:25:00Z"])]
    lines: list[HeldLine]
    order: str | None = None
    replayed: Annotated[bool, Meta(description="Whether this call changed nothing.")] = False


class PlaceAnswer(msgspec.Struct, frozen=True):
    """What can be promised of one SKU at one place."""

    place: Annotated[str, Meta(examples=["S001"])]
    available: Annotated[
        int,
        Meta(description="Below 0 where claims exceed what is there.", examples=[7]),
    ]
    held: Annotated[int, Meta(description="Lapsed holds not counted.", examples=[2])]
    on_hand: Annotated[int, Meta(examples=[12])]
    version: Annotated[int, Meta(description="Of the position that says on_hand.", examples=[17])]


class SkuAnswer(msgspec.Struct, frozen=True):
    """What can be promised of one SKU."""

    sku: Sku
    available: Annotated[
        int, Meta(ge=0, description="Sum over places; one below 0 takes nothing from the others.")
    ]
    places: list[PlaceAnswer]


class AvailabilityAnswer(msgspec.Struct, frozen=True):
    """What can be promised now."""

    items: list[SkuAnswer]


class HealthAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether holds are taken."""

    status: Literal["ok", "unavailable"]
    redis: Annotated[bool, Meta(description="Whether Redis answers.")]
    gate: Annotated[
        Literal["open", "closed", "empty", "unknown"],
        Meta(description="empty, closed: holds are refused until the keeper has rebuilt the gate."),
    ]
    epoch: str | None = None


class ShortageItem(msgspec.Struct, frozen=True):
    """An SKU of which less can be promised than was wanted."""

    sku: Sku
    wanted: Units
    available: Annotated[int, Meta(ge=0, examples=[1])]


class UnknownItem(msgspec.Struct, frozen=True):
    """An SKU (at a place) of which no position is known."""

    sku: Sku
    place: str | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong (RFC 9457); `type` never changes, so programs may decide by it."""

    type: Annotated[str, Meta(examples=["urn:tillflow:problem:short"])]
    title: str
    status: Annotated[int, Meta(ge=400, le=599, examples=[409])]
    detail: Annotated[str | None, Meta(description="This case, in words.")] = None
    shortages: Annotated[
        list[ShortageItem] | None, Meta(description="With `short`: every SKU that falls short.")
    ] = None
    unknown: Annotated[
        list[UnknownItem] | None, Meta(description="With `unknown-sku`: all of them.")
    ] = None
    reason: Annotated[str | None, Meta(description="With `coupon-refused`: why, as a code.")] = None
    words: Annotated[
        Names | None, Meta(description="With `coupon-refused`: for the people at the till.")
    ] = None
    hold: Annotated[
        HoldAnswer | None, Meta(description="Where a hold is in the way: that hold as it is.")
    ] = None
