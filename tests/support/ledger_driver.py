"""Drives the stock ledger in a plain loop, without an engine, and keeps what comes out by key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from operators.stock.decode import Block, Sharder
from operators.stock.ledger import StockLedger
from operators.stock.rules import StockRules
from schemas.chain import Chain
from schemas.warehouse import STOCK_ALERT, STOCK_POSITION


@dataclass
class Kept:
    """What a warehouse would hold."""

    positions: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)
    dead_letters: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    duplicates: int = 0
    others: int = 0
    raised: int = 0
    cleared: int = 0


class LedgerDriver:
    """One shard of stock, fed with lines."""

    def __init__(self, chain: Chain | None = None) -> None:
        self.rules = StockRules(chain or Chain())
        self.ledger = StockLedger(self.rules)
        self.sharder = Sharder(1)
        self.kept = Kept()
        self.line = 1

    def feed(self, lines: Sequence[bytes], now: int | None = None) -> None:
        """Feed consecutive lines as one block."""
        block = Block("events.jsonl", self.line, len(lines), b"\n".join(lines))
        self.line += len(lines)
        decoded = self.sharder.decode(block)
        kept = self.kept
        refusals = list(decoded.refusals)
        kept.others += decoded.read.others
        for batch in decoded.batches:
            changes = self.ledger.apply(batch, now)
            self._keep(changes.alerts, changes.withdrawn)
            refusals += changes.refusals
            kept.duplicates += changes.totals.duplicates
            kept.raised += changes.totals.raised
            kept.cleared += changes.totals.cleared
        for refusal in refusals:
            assert refusal.position not in kept.dead_letters, refusal
            kept.dead_letters[refusal.position] = refusal.code
            kept.reasons[refusal.position] = refusal.reason

    def _keep(self, alerts: Iterable[tuple[Any, ...]], withdrawn: Iterable[str] = ()) -> None:
        for alert in withdrawn:
            self.kept.alerts.pop(alert, None)
        for row in alerts:
            self.kept.alerts[row[0]] = dict(zip(STOCK_ALERT.names, row, strict=True))

    def take(self) -> Kept:
        """Take the rows that have changed, as a sink would: older versions change nothing."""
        rows = self.ledger.take_rows()
        self._keep(rows.alerts)
        for row in zip(*rows.positions, strict=True):
            values = dict(zip(STOCK_POSITION.names, row, strict=True))
            key = (values["sku"], values["place"])
            there = self.kept.positions.get(key)
            if there is None or there["version"] <= values["version"]:
                self.kept.positions[key] = values
        return self.kept

    def reopen(self) -> None:
        """Dump the state and go on from the dump, as after a restart."""
        self.ledger = StockLedger.restore(self.ledger.dump(), self.rules)


def drive(
    lines: Sequence[bytes],
    chain: Chain | None = None,
    *,
    size: int = 7,
    now: int | None = None,
    reopen_at: frozenset[int] = frozenset(),
) -> Kept:
    """All lines in blocks of `size`; before the blocks numbered in `reopen_at` a restart."""
    driver = LedgerDriver(chain)
    for number, start in enumerate(range(0, len(lines), size)):
        if number in reopen_at:
            driver.reopen()
        driver.feed(lines[start : start + size], now)
        if number % 3 == 0:
            driver.take()
    return driver.take()
