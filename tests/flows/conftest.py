"""A flow sets up its process; a test puts it back as it was. And a busy week of a small chain."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from random import Random

import pytest
from depth import cases
from stock_events import random_history, render_lines
from stock_garbage import GARBAGE_KINDS

from schemas.chain import Chain, Place, StockConfig, StockRule

# Written histories lie where they like on the calendar, so no clock may call them the future.
ANY_DAY_HOURS = 1_000_000.0


@pytest.fixture(autouse=True)
def _process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Signals and collector as they were; no backtraces of the engine in what is compared."""
    monkeypatch.setenv("RUST_BACKTRACE", "0")
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    thresholds = gc.get_threshold()
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)
    gc.set_threshold(*thresholds)


@pytest.fixture(scope="session")
def chain() -> Chain:
    """Rules that raise alerts of every type, two pools, and a zone that is not the chain's."""
    return Chain(
        places={"S0": Place(pool="north"), "S1": Place(timezone="Asia/Kathmandu")},
        stock=StockConfig(
            future_hours=ANY_DAY_HOURS,
            rules=(
                StockRule(sku="SKU-000*", safety_stock=5, floor=1),
                StockRule(place="S2", safety_stock=20),
            ),
        ),
    )


@pytest.fixture(scope="session")
def garbled_week() -> list[bytes]:
    """Movements in every dress, with repeats, late counts and corrections, and garbage."""
    lines = render_lines(random_history(5, cases(8_000, 20_000), skus=cases(24, 60)), 5)
    rng = Random(5)
    visit = b'{"specversion":"1.0","id":"1","source":"d","type":"store.visit.v1","data":{}}'
    for garbage in [*(line for _, line in GARBAGE_KINDS.values()), visit]:
        lines.insert(rng.randrange(len(lines)), garbage)
    return lines
