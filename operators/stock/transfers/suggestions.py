"""Suggestions as they are made and as they go on: each state is an event with the next version."""

from __future__ import annotations

from typing import Any

import msgspec

from operators.stock.transfers.needs import MILLI, Stock, is_reactive, reasons
from operators.stock.transfers.planning import Valued
from operators.stock.transfers.rules import TransferRules
from operators.stock.transfers.state import PROPOSED, SkuState
from schemas.instants import DAY_US, to_datetime
from schemas.transfer import Side, SuggestionStatus, TransferSuggestion


def propose(
    state: SkuState,
    sku: str,
    valued: Valued,
    here: Stock,
    there: Stock,
    now: int,
    rules: TransferRules,
    supersedes: str | None,
) -> TransferSuggestion:
    """A new suggestion, which is open from now on.

    Its id is the SKU, the places and a number that counts the SKU's suggestions, so that a run
    over the same input makes the same ids. `available` of the taker counts what is on the way.
    """
    state.number += 1
    move = valued.move
    donor = here.left - valued.given_before
    taker = there.supply + valued.taken_before
    one = TransferSuggestion(
        suggestion=f"{sku}/{move.from_place}>{move.to_place}/{state.number}",
        sku=sku,
        from_place=move.from_place,
        to_place=move.to_place,
        quantity=move.quantity,
        pack_multiple=rules.terms(sku).pack,
        mode="reactive" if is_reactive(there, rules) else "proactive",
        reason_codes=reasons(there, rules),
        donor_before=_side(donor, here.rate),
        donor_after=_side(donor - move.quantity, here.rate),
        taker_before=_side(taker, there.rate),
        taker_after=_side(taker + move.quantity, there.rate),
        expected_lost_sales_avoided=round(valued.saved, 3),
        transport_cost=valued.transport_cost,
        net_benefit=valued.net // MILLI,
        lead_time_h=round(valued.road.lead_time_h, 2),
        needed_by=to_datetime(now + _runs_out(there, rules)),
        not_after=to_datetime(now + rules.valid),
        pegged_orders=list(there.orders),
        based_on_versions=(here.version, there.version),
        status=PROPOSED,
        version=1,
        updated_at=to_datetime(now),
        supersedes=supersedes,
    )
    state.suggestions[one.suggestion] = one
    return one


def advance(
    state: SkuState, one: TransferSuggestion, status: SuggestionStatus, now: int, **changed: Any
) -> TransferSuggestion:
    """The suggestion in its next state."""
    after = msgspec.structs.replace(
        one, status=status, version=one.version + 1, updated_at=to_datetime(now), **changed
    )
    state.suggestions[one.suggestion] = after
    return after


def _side(available: int, rate: float) -> Side:
    cover = round(max(available, 0) / rate, 2) if rate > 0 else None
    return Side(available=available, days_of_cover=cover)


def _runs_out(there: Stock, rules: TransferRules) -> int:
    """How long the taker's supply is expected to last, the horizon at most, in us."""
    horizon = rules.config.horizon_days
    if there.supply <= 0:
        return 0
    days = min(horizon, there.supply / there.rate) if there.rate > 0 else horizon
    return round(days * DAY_US)
