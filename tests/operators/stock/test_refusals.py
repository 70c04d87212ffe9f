"""What the ledger refuses says why, with the figures of the case, and what to do about it."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from stock_events import NOON, Event, correction, event, render_lines

from operators.stock.decode import Block, Sharder
from operators.stock.ledger import StockLedger
from operators.stock.refusals import Refusal
from operators.stock.rules import StockRules
from schemas.chain import Chain, Place

HOURS = 60  # minutes


def refused(*events: Event, chain: Chain | None = None, now: int | None = None) -> list[Refusal]:
    """The refusals of a ledger that hears the events, from line 11 of a file."""
    lines = render_lines(events)
    decoded = Sharder(1).decode(Block("a.jsonl", 11, len(lines), b"\n".join(lines)))
    ledger = StockLedger(StockRules(chain or Chain()))
    return [one for batch in decoded.batches for one in ledger.apply(batch, now).refusals]


SALE = event("sold", 2, id="17")

CASES: dict[str, tuple[list[Event], dict[str, Any], int, str, list[str]]] = {
    "too late": (
        [event("sold", 1, 49 * HOURS), SALE],
        {},
        12,
        "too_late",
        [
            "2026-11-23T04:00:00Z is more than 48 hours before the newest event of TEA",
            "(2026-11-25T05:00:00Z)",
            "raise stock.horizon_hours",
        ],
    ),
    "other content": (
        [SALE, {**SALE, "data": SALE["data"] | {"quantity": 3}}],
        {},
        12,
        "conflicting_duplicate",
        ["source till-1 sent id 17 before", "sold 2 at S1", "sold 3 at S1", "its own id"],
    ),
    "ahead of the clock": (
        [SALE],
        {"now": NOON - 25 * 3_600_000_000},
        11,
        "in_the_future",
        ["2026-11-23T04:00:00Z is too far ahead", "(2026-11-22T03:00:00Z)", "clock of till-1"],
    ),
    "unknown place": (
        [SALE],
        {"chain": Chain(unknown_places="refuse")},
        11,
        "unknown_place",
        ["place S1 is not in", "list it under `places`", "unknown_places: accept"],
    ),
    "unknown target": (
        [event("transfer_out", 2, id="17", to_place="S9")],
        {"chain": Chain(unknown_places="refuse", places={"S1": Place()})},
        11,
        "unknown_place",
        ["place S9 is not in"],
    ),
    "corrects a correction": (
        [SALE, correction(SALE, 1, id="18"), correction(correction(SALE, 1, id="18"), 2, id="19")],
        {},
        13,
        "corrects_a_correction",
        ["18 is itself a correction", "under a new id"],
    ),
    "corrects nothing": (
        [event("corrected", id="18", corrects="never"), event("sold", 1, 48 * HOURS + 1)],
        {},
        11,
        "corrects_unknown_event",
        ["no event never of till-1 for TEA was seen within 48 hours", "check `corrects`"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_says_why(name: str) -> None:
    """Code, place in the file, identity of the event and words with the figures of the case."""
    events, more, position, code, words = CASES[name]
    [refusal] = refused(*events, **more)
    assert (refusal.origin, refusal.position, refusal.code) == ("a.jsonl", position, code)
    of = events[position - 11]
    assert (refusal.event_source, refusal.event_id) == (of["source"], of["id"])
    assert refusal.time is not None
    for word in words:
        assert word in refusal.reason
    assert refusal.reason[0].islower() or refusal.reason[0].isdigit()
    assert not refusal.reason.endswith(".")


def test_crosses_processes() -> None:
    """Plain values, on their way to the process that writes."""
    [refusal] = refused(SALE, now=0)
    again: object = pickle.loads(pickle.dumps(refusal))
    assert again == refusal
