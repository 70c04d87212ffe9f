"""When a SKU wants to be told the time next, and what it may forget."""

from __future__ import annotations

from collections.abc import Iterator

from operators.stock.transfers.rules import TransferRules
from operators.stock.transfers.shipments import complain_at
from operators.stock.transfers.state import CLOSED, OPEN, SkuState
from schemas.instants import to_micros


def plan_at(state: SkuState, rules: TransferRules) -> int | None:
    """When the SKU is to be planned, None if nothing has changed.

    The positions of one delivery come in one after another, so a plan waits for the others.
    """
    if not state.dirty_at:
        return None
    return max(state.dirty_at + rules.settle, state.planned_at + rules.replan)


def next_wake(state: SkuState, rules: TransferRules) -> int | None:
    """When the SKU wants to be woken, None if never."""
    return min(_wakes(state, rules), default=None)


def _wakes(state: SkuState, rules: TransferRules) -> Iterator[int]:
    at = plan_at(state, rules)
    if at is not None:
        yield at
    for one in state.suggestions.values():
        if one.status in OPEN:
            yield to_micros(one.not_after)
        elif one.status in CLOSED:
            yield to_micros(one.updated_at) + rules.memory
    for pairs in state.pairs.values():
        for pair in pairs.values():
            yield from (until for until in (pair.cool_until, pair.quiet_until) if until)
    for by_place in state.shipments.values():
        for shipment in by_place.values():
            complaint = complain_at(shipment, rules)
            if complaint is not None:
                yield complaint
            if shipment.settled_at or not shipment.sent:
                yield (shipment.settled_at or shipment.begun_at) + rules.memory
    if state.taken_back:
        yield min(state.taken_back.values()) + rules.memory


def forget(state: SkuState, now: int, rules: TransferRules) -> None:
    """Drop what is over and can meet no copy or late news any more; peace that ends is planned."""
    before = now - rules.memory
    for name in [
        one.suggestion
        for one in state.suggestions.values()
        if one.status in CLOSED and to_micros(one.updated_at) <= before
    ]:
        del state.suggestions[name]
    for here, pairs in list(state.pairs.items()):
        for there, pair in list(pairs.items()):
            ended = False
            if 0 < pair.cool_until <= now:
                pair.cool_until, ended = 0, True
            if 0 < pair.quiet_until <= now:
                pair.quiet_until, ended = 0, True
            if ended:
                state.dirty_at = state.dirty_at or now
            if not pair.cool_until and not pair.quiet_until:
                del pairs[there]
        if not pairs:
            del state.pairs[here]
    for transfer, by_place in list(state.shipments.items()):
        for place, shipment in list(by_place.items()):
            over = shipment.settled_at or (0 if shipment.sent else shipment.begun_at)
            if 0 < over <= before:
                del by_place[place]
        if not by_place:
            del state.shipments[transfer]
    for identity, at in list(state.taken_back.items()):
        if at <= before:
            del state.taken_back[identity]
