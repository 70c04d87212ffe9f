"""What the tests of the hold gate share: positions, a settable clock, and a flow in miniature."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from redis_server import RedisServer

from schemas.position import Position
from sinks.redis.client import HoldGate
from sinks.redis.library import Library, load_library
from sinks.redis.settings import GateSettings

MakeGate = Callable[..., HoldGate]

TIME_LINES = """  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
"""


def position(
    sku: str,
    place: str,
    on_hand: int,
    version: int = 1,
    *,
    allocated: int = 0,
    floor: int = 0,
    seq: int = 0,
) -> Position:
    return Position(
        sku=sku,
        place=place,
        pool="any",
        on_hand=on_hand,
        allocated=allocated,
        quarantined=0,
        in_transit=0,
        held_confirmed_seq=seq,
        available=on_hand - allocated - floor,
        safety_stock=floor,
        days_of_cover=None,
        demand_rate=0.0,
        version=version,
        as_of=datetime(2026, 11, 23, tzinfo=UTC),
    )


def new_gate(
    server: RedisServer, *, library: Library | None = None, opened: bool = True, **settings: Any
) -> HoldGate:
    """A gate of a pool that nobody has used yet."""
    settings = {"pool": f"pool-{uuid.uuid4().hex[:8]}", "timeout_seconds": 20, **settings}
    gate = HoldGate(GateSettings(url=server.url, **settings), library)
    if opened:
        gate.open_gate("one")
    return gate


def timed_library(clock_key: str) -> Library:
    """The shipped source with its clock read from a key.

    The hook is cut into the text here, so there is none that anybody could use in production.
    """
    source = load_library().source
    assert source.count(TIME_LINES) == 1
    return Library(
        source.replace(TIME_LINES, f"  return tonumber(redis.call('GET', '{clock_key}'))\n")
    )


class SettableClock:
    """The time of gates made with `timed_library`."""

    def __init__(self, server: RedisServer) -> None:
        self.key = f"clock-{uuid.uuid4().hex[:8]}"
        self.library = timed_library(self.key)
        self.now = 1_800_000_000_000
        self._gate = HoldGate(GateSettings(url=server.url))
        self.advance(0)

    def advance(self, ms: int) -> None:
        self.now += ms
        self._gate.client.set(self.key, self.now)

    def close(self) -> None:
        self._gate.close()


class MiniFlow:
    """The stock flow as the gate sees it: confirmed holds become allocations, in order."""

    def __init__(self, gate: HoldGate) -> None:
        self.gate = gate
        self.on_hand: dict[tuple[str, str], int] = {}
        self.floor: dict[tuple[str, str], int] = {}
        self.allocated: dict[tuple[str, str], int] = defaultdict(int)
        self.seq: dict[tuple[str, str], int] = defaultdict(int)
        self.version: dict[tuple[str, str], int] = defaultdict(int)
        self.told: list[Position] = []
        self.read_upto = ""

    def stock(self, sku: str, place: str, on_hand: int, floor: int = 0) -> None:
        self.on_hand[sku, place] = on_hand
        self.floor[sku, place] = floor
        self.gate.project([self.tell(sku, place)])

    def tell(self, sku: str, place: str) -> Position:
        pair = (sku, place)
        self.version[pair] += 1
        told = position(
            sku,
            place,
            self.on_hand.get(pair, 0),
            self.version[pair],
            allocated=self.allocated[pair],
            floor=self.floor.get(pair, 0),
            seq=self.seq[pair],
        )
        self.told.append(told)
        return told

    def read(self) -> list[Position]:
        """Apply what the outbox tells; the positions that come of it, not yet projected."""
        made = []
        while entries := self.gate.outbox(self.read_upto, 500):
            for entry in entries:
                self.read_upto = entry.id
                event = entry.event
                if event.state == "confirmed":
                    pair = (event.sku, event.place)
                    assert event.hold_seq == self.seq[pair] + 1, "a confirm number is missing"
                    self.seq[pair] += 1
                    self.allocated[pair] += event.quantity
                    made.append(self.tell(*pair))
        return made


def audit(gate: HoldGate) -> None:
    """The counter of held units of every pair is the sum of its holds."""
    client: Any = gate.client
    for key in client.scan_iter(match=f"{gate.protocol.keys.tag}:s:*", count=1000):
        members = client.zrange(key.replace(b":s:", b":h:", 1), 0, -1)
        held = sum(int(member[1:].split(b",", 1)[0]) for member in members)
        assert int(client.hget(key, "held") or 0) == held, key
