"""A sale whose way through the whole stack is watched: position, gate, warehouse, webhook."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

from infra.drill.receiver import Receiver
from infra.stack_address import StackAddress
from schemas.envelope import MovementEvent
from schemas.movement import Movement, Received, Sold
from sinks.kafka.events import OutRecord
from sinks.kafka.live_events import event_record
from sinks.redis.client import HoldGate
from sinks.redis.errors import GateError
from sinks.redis.settings import GateSettings
from sinks.warehouse.address import WarehouseError, parse_target
from sinks.warehouse.client import open_reader

SOURCE = "drill/probe"
PLACE = "S001"
POLL_SECONDS = 0.02
ANSWER_SECONDS = 2.0
LEGS = ("gate", "warehouse", "webhook")

_number = 0


def drill_event(source: str, data: Movement, at: datetime | None = None) -> OutRecord:
    """A movement of the drill itself."""
    global _number  # noqa: PLW0603 (ids of one process)
    _number += 1
    return event_record(
        MovementEvent(
            specversion="1.0",
            id=f"{_number:07d}",
            source=source,
            type="stock.movement.v1",
            time=at or datetime.now(UTC),
            data=data,
        )
    )


class Probes:
    """One SKU a probe, with one unit of it. Its sale raises an alert."""

    def __init__(
        self, there: StackAddress, receiver: Receiver, write: Callable[[OutRecord], None]
    ) -> None:
        self._there, self._receiver, self._write = there, receiver, write
        self._gate = HoldGate(
            GateSettings(url=there.redis, pool=there.pool, timeout_seconds=ANSWER_SECONDS)
        )
        self._used = 0
        self.skus: list[str] = []

    def stock(self, count: int) -> None:
        """Put the units of so many probes on the shelf."""
        self.skus = [f"PROBE-{number}" for number in range(count)]
        for sku in self.skus:
            data = Received(sku=sku, place=PLACE, quantity=1)
            self._write(drill_event(SOURCE, data))

    def run(self, patience: float, legs: tuple[str, ...] = LEGS) -> dict[str, float]:
        """Sell one now; seconds until each leg has seen it. A leg that never did is not there."""
        sku = self.skus[self._used]
        self._used += 1
        began = time.monotonic()
        self._write(drill_event(SOURCE, Sold(sku=sku, place=PLACE, quantity=1)))
        asks = {"gate": self._in_gate, "warehouse": self._in_warehouse, "webhook": self._at_hook}

        def watch(leg: str) -> float | None:
            while not asks[leg](sku):
                if time.monotonic() - began > patience:
                    return None
                time.sleep(POLL_SECONDS)
            return time.monotonic() - began

        # Side by side: a leg that hangs must not hold up the view of the others.
        with ThreadPoolExecutor(len(legs)) as pool:
            found = dict(zip(legs, pool.map(watch, legs), strict=True))
        return {leg: seconds for leg, seconds in found.items() if seconds is not None}

    def told(self) -> tuple[int, int]:
        """How many probes were sold, and of how many the webhook heard."""
        sold = self.skus[: self._used]
        return len(sold), sum(self._receiver.first(sku) is not None for sku in sold)

    def close(self) -> None:
        """Let go of the gate."""
        self._gate.close()

    def _at_hook(self, sku: str) -> bool:
        return self._receiver.first(sku) is not None

    def _in_gate(self, sku: str) -> bool:
        try:
            if self._gate.gate_state().state != "open":
                return False
            rows = self._gate.available([sku], [PLACE])[sku]
        except GateError:
            return False
        return bool(rows) and rows[0].on_hand == 0

    def _in_warehouse(self, sku: str) -> bool:
        try:
            target = parse_target(self._there.reader, token_file=self._there.read_token)
            with closing(open_reader(target, patience=ANSWER_SECONDS)) as reader:
                question = "SELECT on_hand FROM stock_position WHERE sku = ? AND place = ?"
                row = reader.execute(question, [sku, PLACE]).fetchone()
        except WarehouseError:
            return False
        return row is not None and row[0] == 0
