"""A resumed ledger takes back what the warehouse shows and what never was, and nothing else."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from ledger_driver import Kept, LedgerDriver, drive
from stock_events import event, render_lines
from stock_strategies import PATIENT, histories, wide_histories

from operators.stock.ledger import StockLedger
from operators.stock.told import ToldAlert, ToldAlerts
from schemas.chain import Chain, StockConfig, StockRule

CHAIN = Chain(stock=StockConfig(rules=(StockRule(safety_stock=3),)))
LATER = 1 << 60


def told(kept: Kept) -> ToldAlerts:
    """What a flow reads from its warehouse when it starts."""
    found = []
    for alert, row in kept.alerts.items():
        opened_by = json.loads(row["evidence"])[0]
        named = (row["sku"], row["place"], opened_by["source"], opened_by["id"])
        found.append(ToldAlert(alert, *named, row["opened_at"]))
    return ToldAlerts(found)


def feed(driver: LedgerDriver, lines: list[bytes], size: int) -> None:
    for start in range(0, len(lines), size):
        driver.feed(lines[start : start + size], LATER)
        driver.take()


@PATIENT
@given(st.data())
def test_crash_and_other_blocks(data: st.DataObject) -> None:
    """Whatever was written after the last commit, and however the replay is cut."""
    lines = render_lines(data.draw(st.one_of(histories(contradictions=False), wide_histories())))
    committed = data.draw(st.integers(0, len(lines)))
    crashed = data.draw(st.integers(committed, len(lines)))
    driver = LedgerDriver(CHAIN)
    feed(driver, lines[:committed], data.draw(st.integers(1, 4)))
    dump = driver.ledger.dump()
    feed(driver, lines[committed:crashed], data.draw(st.integers(1, 4)))
    driver.ledger = StockLedger.restore(dump, driver.rules, told(driver.kept))
    driver.kept.dead_letters.clear()
    driver.line = committed + 1
    feed(driver, lines[committed:], data.draw(st.integers(1, 40)))
    assert driver.kept.alerts == drive(lines, CHAIN, now=LATER).alerts


def test_an_alert_between_two_moments() -> None:
    """True of what had come, never of what happened; the replay reads the rest in one block.

    The late receipt in that block has the figures made anew at its end, so that the moment in
    between is not judged again.
    """
    arrivals = [event("received", 5, 0), event("received", 1, -9), event("sold", 6, 10)]
    lines = render_lines([*arrivals, event("received", 5, 5)])
    driver = LedgerDriver()
    feed(driver, lines[:1], 1)
    dump = driver.ledger.dump()
    feed(driver, lines[1:3], 1)
    assert [row["alert_type"] for row in driver.kept.alerts.values()] == ["stock_out"]
    driver.ledger = StockLedger.restore(dump, driver.rules, told(driver.kept))
    feed(driver, lines[1:], 3)
    assert driver.kept.alerts == {}
