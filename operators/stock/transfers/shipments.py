"""Transfers on the road: what left, what arrived, and an alert for what did neither.

A transfer is known by its number (`transfer` of the movements) and the place it goes to. What left
and did not arrive stays in transit; `grace_hours` after the first of it was unloaded (or should
have been there) it raises `transfer_discrepancy`, which is cleared when the rest arrives or
somebody explains it: an `adjusted` that carries the transfer's number explains its units.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from operators.stock.transfers.facts import Moved
from operators.stock.transfers.rules import TransferRules
from operators.stock.transfers.state import (
    CLOSED,
    EXECUTED,
    OPEN,
    SHIPPED,
    Shipment,
    SkuState,
)
from operators.stock.transfers.suggestions import advance
from schemas.alert import Alert, AlertStatus
from schemas.instants import HOUR_US, format_instant, to_datetime
from schemas.transfer import TransferSuggestion

DISCREPANCY: Final = "transfer_discrepancy"
ACTION = (
    "count what arrived and ask the sender; then record the rest as transfer_in, or as adjusted "
    "with the transfer's number and a reason"
)


class Seen(NamedTuple):
    """What a movement or the clock changed: suggestions and alerts in their new states."""

    suggestions: list[TransferSuggestion]
    alerts: list[Alert]


def see(state: SkuState, sku: str, moved: Moved, now: int, rules: TransferRules) -> Seen:
    """Take a movement of a transfer; a copy of one that is known changes nothing."""
    if moved.kind == "corrected":
        state.taken_back[moved.corrects] = now
        found = [
            shipment
            for by_place in state.shipments.values()
            for shipment in by_place.values()
            if shipment.moves.pop(moved.corrects, None) is not None
        ]
        return _follow(state, sku, found, now, rules)
    if moved.identity in state.taken_back:
        return Seen([], [])
    there = moved.to_place if moved.kind == "transfer_out" else moved.place
    by_place = state.shipments.setdefault(moved.transfer, {})
    if moved.kind == "adjusted" and there not in by_place:
        # Explained at the sender's: the missing units are those of its only open transfer.
        there = next((place for place, one in by_place.items() if not one.settled_at), there)
    shipment = by_place.get(there)
    if shipment is None:
        shipment = by_place[there] = Shipment(moved.transfer, "", there, now)
    if moved.identity in shipment.moves:
        return Seen([], [])
    if moved.kind == "transfer_out":
        shipment.from_place = moved.place
        shipment.last_out = max(shipment.last_out, moved.time)
        shipment.moves[moved.identity] = moved.quantity
    else:
        shipment.moves[moved.identity] = -abs(moved.quantity)
        if moved.kind == "transfer_in":
            shipment.first_in = min(shipment.first_in or moved.time, moved.time)
    return _follow(state, sku, [shipment], now, rules)


def _follow(
    state: SkuState, sku: str, shipments: list[Shipment], now: int, rules: TransferRules
) -> Seen:
    """Bring suggestions and alerts to where their transfers are."""
    seen = Seen([], [])
    for shipment in shipments:
        missing = shipment.sent - shipment.received
        shipment.settled_at = now if shipment.sent and missing <= 0 else 0
        one = _suggestion_of(state, shipment)
        if one is not None:
            seen.suggestions.extend(_carry(state, one, shipment, now, rules))
        if shipment.alert_at:
            if missing <= 0:
                seen.alerts.append(_alert(shipment, sku, "cleared", now))
                shipment.alert_at = 0
            elif missing != shipment.alerted:
                shipment.alerted = missing
                seen.alerts.append(_alert(shipment, sku, "updated", now))
    return seen


def _suggestion_of(state: SkuState, shipment: Shipment) -> TransferSuggestion | None:
    """The suggestion that a transfer carries, also one that was thought to be over."""
    for one in state.suggestions.values():
        ways = (shipment.from_place or one.from_place, shipment.to_place)
        if shipment.transfer in (one.transfer, one.suggestion) and ways == (
            one.from_place,
            one.to_place,
        ):
            return one
    return None


def _carry(
    state: SkuState, one: TransferSuggestion, shipment: Shipment, now: int, rules: TransferRules
) -> list[TransferSuggestion]:
    """A suggestion whose goods left is shipped, whatever was said before; then executed."""
    changed = []
    if shipment.sent and (one.status in OPEN or (one.status in CLOSED and one.status != EXECUTED)):
        one = advance(state, one, SHIPPED, now, transfer=shipment.transfer)
        state.pair(one.from_place, one.to_place).rest(now, rules.cool_down, rules.repeat)
        changed.append(one)
    if one.status == SHIPPED and shipment.settled_at:
        changed.append(advance(state, one, EXECUTED, now))
    return changed


def complain_at(shipment: Shipment, rules: TransferRules) -> int | None:
    """When a transfer that is still incomplete raises its alert; None: not at all."""
    if shipment.alert_at or not shipment.sent or shipment.sent <= shipment.received:
        return None
    if shipment.first_in:
        return shipment.first_in + rules.grace
    road = rules.road(shipment.from_place, shipment.to_place)
    hours = road.lead_time_h if road is not None else 0.0
    return shipment.last_out + round(hours * HOUR_US) + rules.grace


def complain(state: SkuState, sku: str, now: int, rules: TransferRules) -> list[Alert]:
    """Raise the alerts that are due."""
    raised = []
    for by_place in state.shipments.values():
        for shipment in by_place.values():
            at = complain_at(shipment, rules)
            if at is not None and at <= now:
                shipment.alert_at = now
                shipment.alerted = shipment.sent - shipment.received
                raised.append(_alert(shipment, sku, "raised", now))
    return raised


def _alert(shipment: Shipment, sku: str, status: AlertStatus, now: int) -> Alert:
    sent, received = shipment.sent, shipment.received
    return Alert(
        alert=f"{DISCREPANCY}/{sku}@{shipment.to_place}/{shipment.transfer}",
        alert_type=DISCREPANCY,
        status=status,
        severity="high",
        sku=sku,
        place=shipment.to_place,
        observed=received,
        level=sent,
        clear_level=sent,
        shortfall=max(0, sent - received),
        claims=[],
        evidence=[
            {
                "transfer": shipment.transfer,
                "from_place": shipment.from_place,
                "to_place": shipment.to_place,
                "sent": sent,
                "received": received,
                "sent_at": format_instant(shipment.last_out),
                "first_received_at": (
                    format_instant(shipment.first_in) if shipment.first_in else None
                ),
            }
        ],
        suggested_action=ACTION,
        opened_at=to_datetime(shipment.alert_at),
        updated_at=to_datetime(now),
        cleared_at=to_datetime(now) if status == "cleared" else None,
    )
