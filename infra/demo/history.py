"""The stock of one shelf over time, told again from the events themselves."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from operators.stock.effects import EFFECTS
from schemas.envelope import MovementEvent
from schemas.movement import Corrected, Counted, Received, TransferIn

_event = msgspec.json.Decoder(MovementEvent)


class Moment(NamedTuple):
    """What a shelf had after one event: on hand, and available to promise; what had come in."""

    time: datetime
    on_hand: int
    available: int
    received: int


def stock_over_time(events: Path, sku: str, place: str, dead: Container[int]) -> list[Moment]:
    """The moments of a shelf in order of their time; `dead` are lines that were refused."""
    seen: dict[tuple[str, str], MovementEvent] = {}
    void: set[tuple[str, str]] = set()
    # Most lines are other shelves': a look at the bytes is a tenth of decoding them.
    name = msgspec.json.encode(sku)
    with events.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if name not in line or number in dead:
                continue
            event = _event.decode(line)
            movement = event.data
            if movement.sku != sku:
                continue
            if isinstance(movement, Corrected):
                void.add((event.source, movement.corrects))
            elif movement.place == place:
                seen.setdefault((event.source, event.id), event)
    kept = [event for identity, event in seen.items() if identity not in void]
    return _moments(sorted(kept, key=lambda event: (event.time, _rank(event), event.id)))


def _rank(event: MovementEvent) -> int:
    # A count holds for what is left at its instant; what came in stands before what went out.
    kind = event.data.__class__
    return 2 if kind is Counted else 0 if kind in {Received, TransferIn} else 1


def _moments(events: list[MovementEvent]) -> list[Moment]:
    moments = []
    on_hand = allocated = 0
    for event in events:
        movement = event.data
        kind = movement.__class__
        quantity = movement.quantity or 0
        received = 0
        if kind is Counted:
            on_hand = quantity
        else:
            effect = EFFECTS[kind]
            on_hand += effect[0] * quantity
            allocated += effect[1] * quantity
            received = quantity if kind in {Received, TransferIn} else 0
        moments.append(Moment(event.time, on_hand, on_hand - allocated, received))
    return moments
