"""Waits until a stack has come to rest after a drill, and reads what it then has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing

from infra.drill.count import Evidence, GateRow, Number, Row, count
from infra.drill.fold import Pair
from infra.drill.tap import Tap
from infra.stack_address import StackAddress
from sinks.redis.client import HoldGate
from sinks.redis.settings import GateSettings
from sinks.warehouse.address import parse_target
from sinks.warehouse.client import open_reader

REST_SECONDS = 60.0
LOOK_SECONDS = 1.0
SKUS_A_CALL = 50
_ROWS = "SELECT sku, place, on_hand, allocated, quarantined, in_transit FROM stock_position"
_LETTERS = "SELECT reason_code, count(*) FROM dead_letter GROUP BY ALL ORDER BY ALL"


class Settled:
    """A stack whose load has ended."""

    def __init__(self, there: StackAddress, tap: Tap, evidence: Evidence) -> None:
        self._there, self._tap, self._evidence = there, tap, evidence

    def numbers(self, told: Callable[[str], None]) -> list[Number]:
        """The figures, as soon as none that must be 0 is anything else; or after a minute."""
        began = time.monotonic()
        while True:
            found = self._look()
            wrong = [one.name for one in found if one.zero and one.value]
            if not wrong or time.monotonic() - began > REST_SECONDS:
                told(f"at rest after {time.monotonic() - began:.1f} s")
                return [*found, self._dead_letters()]
            time.sleep(LOOK_SECONDS)

    def _look(self) -> list[Number]:
        seen, told = self._evidence, self._tap.told()
        seen.reservations = told.reservations
        seen.topic = {
            pair: Row(one.on_hand, one.allocated, one.quarantined, one.in_transit)
            for pair, one in told.positions.items()
        }
        seen.warehouse = warehouse_rows(self._there)
        seen.gate = gate_rows(self._there, sorted({sku for sku, _ in seen.warehouse}))
        return count(seen)

    def _dead_letters(self) -> Number:
        target = parse_target(self._there.reader, token_file=self._there.read_token)
        with closing(open_reader(target)) as reader:
            rows = reader.execute(_LETTERS).fetchall()
        reasons = ", ".join(f"{number} {code}" for code, number in rows)
        return Number("events refused", sum(number for _, number in rows), True, reasons)


def warehouse_rows(there: StackAddress) -> dict[Pair, Row]:
    """Positions as the warehouse has them."""
    target = parse_target(there.reader, token_file=there.read_token)
    with closing(open_reader(target)) as reader:
        return {(row[0], row[1]): Row(*row[2:]) for row in reader.execute(_ROWS).fetchall()}


def gate_rows(there: StackAddress, skus: Iterable[str]) -> dict[Pair, GateRow]:
    """Positions as the gate has them."""
    names, found = list(skus), {}
    with HoldGate(GateSettings(url=there.redis, pool=there.pool)) as gate:
        for start in range(0, len(names), SKUS_A_CALL):
            for sku, rows in gate.available(names[start : start + SKUS_A_CALL]).items():
                for row in rows:
                    found[sku, row.place] = GateRow(row.on_hand, row.available, row.held)
    return found
