"""`stock.transfer_suggestion.v1`: units that would do more good at another place of the chain.

`stock.transfer_decision.v1` is what a person answers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from schemas.movement import Name

TRANSFER_SUGGESTION_TYPE = "stock.transfer_suggestion.v1"
TRANSFER_DECISION_TYPE = "stock.transfer_decision.v1"

SuggestionStatus = Literal[
    "proposed", "accepted", "rejected", "expired", "superseded", "shipped", "executed"
]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a transfer: units that can be promised, and how many days they last."""

    available: int
    days_of_cover: float | None


class TransferSuggestion(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One suggested transfer of a SKU; money is minor units (fen, cents) of the chain's currency.

    `expected_lost_sales_avoided` is units; `based_on_versions` the versions of the two positions
    (donor, taker) that it was worked out from; `pegged_orders` the orders that wait for it.
    """

    suggestion: Name
    sku: Name
    from_place: Name
    to_place: Name
    quantity: int
    pack_multiple: int
    mode: Literal["reactive", "proactive"]
    reason_codes: list[str]
    donor_before: Side
    donor_after: Side
    taker_before: Side
    taker_after: Side
    expected_lost_sales_avoided: float
    transport_cost: int
    net_benefit: int
    lead_time_h: float
    needed_by: datetime
    not_after: datetime
    pegged_orders: list[str]
    based_on_versions: tuple[int, int]
    status: SuggestionStatus
    version: int
    updated_at: datetime
    supersedes: str | None = None
    transfer: str | None = None


class TransferDecision(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a person (or a system) makes of a suggestion.

    `transfer` is the number under which the goods will travel; without it the suggestion's id is.
    `quiet_hours`: how long a rejected pair of places is left alone, instead of the chain's own.
    """

    suggestion: Name
    sku: Name
    decision: Literal["accepted", "rejected"]
    decided_at: datetime
    by: str | None = None
    reason: str | None = None
    quiet_hours: Annotated[float, msgspec.Meta(ge=0, le=8760)] | None = None
    transfer: Name | None = None
