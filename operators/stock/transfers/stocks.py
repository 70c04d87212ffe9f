"""The stocks of a SKU as planning sees them: positions, with what is open between the places."""

from __future__ import annotations

from collections.abc import Collection

from operators.stock.transfers.needs import Stock, current_rate
from operators.stock.transfers.rules import TransferRules
from operators.stock.transfers.state import EXECUTED, OPEN, SHIPPED, Shipment, SkuState
from schemas.transfer import TransferSuggestion


def stocks_of(
    state: SkuState, now: int, rules: TransferRules, open_ones: Collection[str]
) -> list[Stock]:
    """The places' stocks with the claims of these open suggestions and of all on the road.

    A place that takes, or took within the cool-down, gives nothing: units that were just brought
    are not carried on.
    """
    incoming: dict[str, int] = {}
    outgoing: dict[str, int] = {}
    taking: set[str] = set()
    for one in state.suggestions.values():
        if one.status in OPEN and one.suggestion in open_ones:
            taking.add(one.to_place)
            claimed = (one.quantity, one.quantity)
        elif one.status in (SHIPPED, EXECUTED):
            claimed = _unseen(state, one)
        else:
            continue
        outgoing[one.from_place] = outgoing.get(one.from_place, 0) + claimed[0]
        incoming[one.to_place] = incoming.get(one.to_place, 0) + claimed[1]
    for pairs in state.pairs.values():
        taking.update(place for place, pair in pairs.items() if pair.cool_until > now)
    found = []
    for name, place in state.places.items():
        risk = state.risks.get(name)
        found.append(
            Stock(
                place=name,
                pool=place.pool,
                available=place.available,
                incoming=place.in_transit + incoming.get(name, 0),
                outgoing=outgoing.get(name, 0),
                safety_stock=place.safety_stock,
                rate=current_rate(place.rate, place.available, place.as_of, now, rules),
                at_risk=max(0, -place.available, risk.units if risk else 0),
                may_give=name not in taking and rules.gives(name),
                may_take=rules.takes(name),
                version=place.version,
                orders=tuple(risk.orders) if risk else (),
            )
        )
    return found


def _unseen(state: SkuState, one: TransferSuggestion) -> tuple[int, int]:
    """What has left and is not in the positions of the donor and the taker yet.

    Positions and movements come on different ways. Until both places tell of the departure it is
    counted here; counted twice for a moment does no harm, not at all would promise units twice.
    """
    shipment = shipment_of(state, one)
    if shipment is None:
        return 0, 0
    here = state.places.get(one.from_place)
    there = state.places.get(one.to_place)
    out = shipment.sent if here is not None and here.as_of < shipment.last_out else 0
    coming = shipment.sent if there is not None and there.as_of < shipment.last_out else 0
    return out, coming


def shipment_of(state: SkuState, one: TransferSuggestion) -> Shipment | None:
    """The transfer that carries a suggestion, if it has begun."""
    for name in (one.transfer, one.suggestion):
        shipment = state.shipments.get(name or "", {}).get(one.to_place)
        if shipment is not None and shipment.from_place in ("", one.from_place):
            return shipment
    return None


def blocked_pairs(state: SkuState, now: int, open_ones: Collection[str]) -> set[tuple[str, str]]:
    """Pairs of places between which nothing more is suggested now.

    Goods are about to go in either direction, went the other way lately, or this way just now; or
    somebody said no (or nothing) to this way.
    """
    found: set[tuple[str, str]] = set()
    for one in state.suggestions.values():
        if one.status in OPEN and one.suggestion in open_ones:
            found |= {(one.from_place, one.to_place), (one.to_place, one.from_place)}
    for here, pairs in state.pairs.items():
        for there, pair in pairs.items():
            if pair.cool_until > now:
                found.add((there, here))
            if pair.quiet_until > now:
                found.add((here, there))
    return found
