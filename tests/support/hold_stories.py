"""Lives of holds as the gate tells them, in its order, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from stock_events import NOON, Event

from schemas.instants import format_instant, parse_instant

Row = tuple[Any, ...]
_MILLISECOND = 1_000


class Gate:
    """Tells events with ids as the relay makes them: milliseconds and number of the entry."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self._at_ms = NOON // _MILLISECOND
        self._number = 0
        self._confirmed: dict[tuple[str, str], int] = {}

    def passes(self, milliseconds: int) -> None:
        """Time passes, or none does."""
        if milliseconds:
            self._at_ms, self._number = self._at_ms + milliseconds, 0

    def tell(self, name: str, sku: str, place: str, units: int, state: str, ttl: int = 0) -> None:
        """A line of a hold is in a state from now on; `ttl` in ms."""
        data: dict[str, Any] = {"reservation": name, "sku": sku, "place": place}
        data |= {"quantity": units, "state": state}
        if state == "confirmed":
            number = data["hold_seq"] = self._confirmed.get((sku, place), 0) + 1
            self._confirmed[sku, place] = number
        if state == "held":
            data["expires_at"] = format_instant((self._at_ms + ttl) * _MILLISECOND)
        if name.endswith(("1", "2")):
            data |= {"order": f"O-{name}", "channel": "web"}
        event = {
            "specversion": "1.0",
            "id": f"{self._at_ms}-{self._number}#{sku}@{place}",
            "source": "hold-gate/all/1",
            "type": "stock.reservation.v1",
            "time": format_instant(self._at_ms * _MILLISECOND),
            "data": data,
        }
        self._number += 1
        self.told.append(event)


def hold_stories(rng: Random, holds: int) -> list[Event]:
    """Events of so many holds of one or two lines, interleaved, in the gate's own order."""
    gate = Gate()
    lives = [_life(gate, rng, f"r{number}") for number in range(holds)]
    while lives:
        life = rng.choice(lives[:20])
        if next(life, None) is None:
            lives.remove(life)
        # Often none: within a millisecond only ranks and the gate's numbers tell what came later.
        gate.passes(rng.choice((0, 0, 0, 1, 700)))
    return gate.told


def _life(gate: Gate, rng: Random, name: str) -> Iterator[int]:
    lines = [("TEA", "S1", rng.randint(1, 3))]
    if rng.randrange(2):
        lines.append((rng.choice("ABC"), rng.choice(("S1", "S2")), 1))

    def all_are(state: str, ttl: int = 0) -> None:
        for line in lines:
            gate.tell(name, *line, state, ttl)

    all_are("held", 1_000)
    yield 1
    for number in range(rng.randrange(3)):
        if rng.randrange(2):
            all_are("held", 5_000 * (number + 2))
        else:
            sku, place, units = lines[0]
            gate.tell(name, sku, place, units, "released")
            gate.passes(1)
            lines[0] = (sku, rng.choice([one for one in ("S1", "S2", "S3") if one != place]), units)
            gate.tell(name, *lines[0], "held", 1_000)
        yield 1
    end = rng.randrange(6)
    if end == 0:
        return
    if end == 1:
        all_are("released")
    if end in (2, 3, 4):
        all_are("expired")
        yield 1
    if end in (3, 5):
        all_are("confirmed")
    if end == 4:
        all_are("expired_short")
    yield 1


def expected_reservations(told: Iterable[Event]) -> list[Row]:
    """The newest state of each line, of events in the gate's order; instants in us since 1970."""
    newest: dict[tuple[str, str, str], Row] = {}
    for event in told:
        data = event["data"]
        until = data.get("expires_at")
        newest[data["reservation"], data["sku"], data["place"]] = (
            data["state"],
            data["quantity"],
            data.get("hold_seq", 0),
            data.get("order"),
            data.get("channel"),
            None if until is None else parse_instant(until),
            parse_instant(event["time"]),
        )
    return sorted((*key, *row) for key, row in newest.items())
