"""Writes a lost gate again from what the log says: positions and reservations.

Feed it both topics from their beginnings, in order per key (events may come twice), then write:

    rebuild = Rebuild()
    rebuild.position(...); rebuild.reservation(...)
    rebuild.write(gate, epoch="2026-11-23-b")
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from schemas.instants import parse_instant, to_micros
from schemas.position import Position
from schemas.reservation import Reservation
from sinks.redis.async_client import AsyncHoldGate
from sinks.redis.client import HoldGate
from sinks.redis.errors import OutboxNotEmpty
from sinks.redis.keeper_calls import close_gate, open_gate, send, truth_of
from sinks.redis.protocol import Protocol, Steps

PAIRS_A_CALL = 32
RESERVATIONS_A_CALL = 100
KEYS_A_SCAN = 1000

Pair = tuple[str, str]
T = TypeVar("T")


@dataclass(slots=True)
class _Line:
    """The last that was told of one reservation at one pair; times in ms."""

    state: str
    quantity: int
    hold_seq: int
    told_at: int


@dataclass(slots=True)
class _Hold:
    """One reservation, put together from the events of its lines."""

    at: int
    expires_at: int
    order: str
    channel: str
    lines: dict[Pair, _Line] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """One call changed all lines, so the furthest of them speaks for all."""
        states = {line.state for line in self.lines.values()}
        for state in ("confirmed", "expired_short", "held", "expired"):
            if state in states:
                return state
        return "released"

    def claimed(self) -> dict[Pair, _Line]:
        """The lines that the reservation has, or had when it ended."""
        if self.state == "released":
            return self.lines
        return {pair: line for pair, line in self.lines.items() if line.state != "released"}


class Rebuild:
    """The state of a gate, gathered from events. Pure until `write`."""

    def __init__(self) -> None:
        self._positions: dict[Pair, Position] = {}
        self._holds: dict[str, _Hold] = {}
        self._numbers: dict[Pair, int] = {}
        self._newest = 0
        self._completed: list[dict[str, Any]] = []

    def position(self, position: Position) -> None:
        """A position from the log; the newest version of its pair counts."""
        pair = (position.sku, position.place)
        known = self._positions.get(pair)
        if known is None or position.version > known.version:
            self._positions[pair] = position
        self._number(pair, position.held_confirmed_seq)

    def reservation(self, event: Reservation, event_id: str, time: datetime) -> None:
        """A reservation event from the log; the last one of a line counts.

        A relay that starts again repeats its newest events in order, so the last of a line is the
        same as without the repetition, and `event_id` need not be remembered.
        """
        told_at = to_micros(time) // 1000
        self._newest = max(self._newest, told_at)
        pair = (event.sku, event.place)
        hold = self._holds.get(event.reservation)
        if hold is None:
            hold = self._holds[event.reservation] = _Hold(
                told_at, told_at, event.order or "", event.channel or ""
            )
        hold.at = min(hold.at, told_at)
        if event.expires_at is not None:
            hold.expires_at = max(hold.expires_at, parse_instant(event.expires_at) // 1000)
        if event.state == "held":
            # A line that goes to another place is released there first: it is this one now.
            for other in [other for other in hold.lines if other[0] == event.sku]:
                if hold.lines[other].state == "released":
                    del hold.lines[other]
        hold.lines[pair] = _Line(event.state, event.quantity, event.hold_seq, told_at)
        self._number(pair, event.hold_seq)

    def write(self, gate: HoldGate, epoch: str) -> None:
        """Close the gate, write it again and open it under a new epoch.

        Raises:
            OutboxNotEmpty: events that this rebuild cannot know of wait to be relayed. The gate is
                closed then; relay and trim them, feed them too, and write again.
        """
        gate.run(self._steps(gate.protocol, epoch))

    async def write_async(self, gate: AsyncHoldGate, epoch: str) -> None:
        """`write` for asyncio."""
        await gate.run(self._steps(gate.protocol, epoch))

    def _number(self, pair: Pair, number: int) -> None:
        self._numbers[pair] = max(self._numbers.get(pair, 0), number)

    def _steps(self, gate: Protocol, epoch: str) -> Steps[None]:
        yield from close_gate(gate)
        (waiting,) = yield from send(("XLEN", gate.keys.log))
        if waiting:
            msg = (
                f"{waiting} events wait in the outbox of pool {gate.settings.pool!r}: relay and "
                "trim them, read the reservations topic to its end, then write the gate again"
            )
            raise OutboxNotEmpty(msg)
        yield from _clear(gate)
        for keys, payload in self.pieces(gate):
            yield from gate.call("restore", keys, payload)
        yield from open_gate(gate, epoch)

    def pieces(self, gate: Protocol) -> Iterator[tuple[list[str], dict[str, Any]]]:
        """What is written, a bounded call at a time: keys and payload."""
        self._complete_confirms()
        claims: dict[Pair, list[list[Any]]] = {pair: [] for pair in self._positions}
        records = []
        for name, hold in self._holds.items():
            state, lines = hold.state, hold.claimed()
            for pair, line in lines.items():
                if state == "confirmed" or (state == line.state == "held"):
                    claim = [line.quantity, name, hold.at, hold.order, hold.channel]
                    claims.setdefault(pair, []).append([*claim, hold.expires_at, line.hold_seq])
            last = max(line.told_at for line in hold.lines.values())
            if state == "held" or last > self._newest - gate.tombstone:
                rows = [[*pair, line.quantity] for pair, line in lines.items()]
                records.append(
                    {
                        "id": name,
                        "state": state,
                        "at": hold.at,
                        "expires_at": hold.expires_at,
                        "order": hold.order,
                        "channel": hold.channel,
                        "lines": rows,
                    }
                )
        for pair in self._numbers:
            claims.setdefault(pair, [])
        empty: dict[str, Any] = {"pairs": [], "reservations": [], "events": []}
        empty["tombstone"] = gate.tombstone
        for pairs in _batches(list(claims.items()), PAIRS_A_CALL):
            keys = [
                key
                for (sku, place), _ in pairs
                for key in (*gate.keys.pair(sku, place), gate.keys.places(sku))
            ]
            yield keys, empty | {"pairs": [self._pair(pair, found) for pair, found in pairs]}
        for some in _batches(records, RESERVATIONS_A_CALL):
            keys = [gate.keys.reservation(str(record["id"])) for record in some]
            yield keys, empty | {"reservations": some}
        for some_told in _batches(self._completed, RESERVATIONS_A_CALL):
            yield [], empty | {"events": some_told}

    def _pair(self, pair: Pair, lines: list[list[Any]]) -> dict[str, Any]:
        sku, place = pair
        row = {"sku": sku, "place": place, "hold_seq": self._numbers.get(pair, 0), "lines": lines}
        position = self._positions.get(pair)
        return row if position is None else row | {"truth": truth_of(position)}

    def _complete_confirms(self) -> None:
        """Number the lines whose confirmation was lost on the way, and tell of them.

        The lines of one confirmed hold went to several partitions; when only some arrived before
        the gate was lost, the others must follow, for the customer has paid for all.
        """
        for name, hold in self._holds.items():
            if hold.state != "confirmed":
                continue
            for pair, line in hold.claimed().items():
                if line.state == "confirmed":
                    continue
                self._number(pair, self._numbers.get(pair, 0) + 1)
                line.state, line.hold_seq = "confirmed", self._numbers[pair]
                told: dict[str, Any] = {
                    "id": name,
                    "order": hold.order,
                    "channel": hold.channel,
                    "sku": pair[0],
                }
                told |= {"sku": pair[0], "place": pair[1], "quantity": line.quantity}
                told |= {"state": "confirmed", "hold_seq": line.hold_seq}
                self._completed.append(told)


def _batches(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _clear(gate: Protocol) -> Steps[None]:
    """Remove what is left of the pool, except the gate itself and the outbox."""
    tag = "".join("\\" + letter if letter in "*?[]\\" else letter for letter in gate.keys.tag)
    keep = {gate.keys.gate.encode(), gate.keys.log.encode()}
    cursor: Any = 0
    while True:
        ((cursor, found),) = yield from send(
            ("SCAN", cursor, "MATCH", f"{tag}:*", "COUNT", KEYS_A_SCAN)
        )
        gone = [key for key in found if key not in keep]
        if gone:
            yield from send(("UNLINK", *gone))
        if int(cursor) == 0:
            return
