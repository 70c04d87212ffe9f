"""Rows of holds: the later event of a line wins, in whatever order and however often it comes."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest
from hold_stories import Gate, expected_reservations, hold_stories
from hypothesis import given
from hypothesis import strategies as st
from stock_events import Event, event, render

from operators.records import Record, RecordBlock
from operators.stock.decode import Block, Sharder
from operators.stock.decode_records import RecordDecoder
from operators.stock.holds import version_of
from schemas.instants import parse_instant
from schemas.reservation import Reservation
from schemas.reservation_tables import RESERVATION
from sinks.warehouse.tuple_rows import newest_rows


def from_lines(events: list[Event]) -> Any:
    lines = b"\n".join(map(render, events))
    return Sharder(4).decode(Block("a.jsonl", 1, len(events), lines))


def from_records(events: list[Event], *, binary: bool) -> Any:
    records = []
    for offset, one in enumerate(events):
        if binary:
            headers = tuple((f"ce_{name}", str(one[name]).encode()) for name in one)
            records.append(Record(b"", msgspec.json.encode(one["data"]), headers, offset, 0))
        else:
            records.append(Record(b"", render(one), (), offset, 0))
    return RecordDecoder(Sharder(4)).decode(RecordBlock("holds", 0, records))


def kept(rows: Any) -> list[tuple[Any, ...]]:
    """What an upsert keeps of rows, without versions; instants in us since 1970."""
    table = newest_rows(RESERVATION, rows).drop_columns(["version"])
    instants = [table.column(name).cast("int64") for name in ("expires_at", "updated_at")]
    for name, values in zip(("expires_at", "updated_at"), instants, strict=True):
        table = table.set_column(table.column_names.index(name), name, values)
    return sorted(tuple(row.values()) for row in table.to_pylist())


@given(st.randoms(use_true_random=False), st.integers(1, 12))
def test_any_order_comes_to_what_the_gate_told_last(rng: Random, holds: int) -> None:
    told = hold_stories(rng, holds)
    expected = expected_reservations(told)
    arriving = told + rng.sample(told, len(told) // 3)
    rng.shuffle(arriving)
    decoded = from_lines(arriving)
    assert decoded.refusals == []
    assert len(decoded.reservations) == len(arriving)
    assert kept(decoded.reservations) == expected
    for binary in (True, False):
        assert from_records(arriving, binary=binary).reservations == decoded.reservations


def test_versions_of_one_line_and_instant() -> None:
    """Within one millisecond a state follows what it can follow, an extension what it extends."""
    at = parse_instant("2999-12-31T23:59:59.999Z")
    versions = [
        version_of("1-8#TEA@S1", at - 1, "confirmed"),
        version_of("7-9#TEA@S1", at, "held"),
        version_of("7-10#TEA@S1", at, "held"),
        version_of(f"{at // 1_000 + 1}-0#TEA@S1", at, "held"),
        version_of("8-0#TEA@S1", at, "expired"),
        version_of("7-11#TEA@S1", at, "confirmed"),
    ]
    assert versions == sorted(set(versions))
    assert versions[-1] < 2**63
    assert version_of("7-9999#TEA@S1", at, "held") < version_of("any id", at, "released")


def test_movements_make_none() -> None:
    """A block of movements has nothing to hand on."""
    moves = [event("sold", 1, minute) for minute in range(100)]
    assert not from_lines(moves).reservations
    assert not from_records(moves, binary=True).reservations
    assert not from_records(moves, binary=False).reservations


@pytest.mark.parametrize("until", ["soon", "9999-12-31T00:00:00Z", "2026-11-23T10:00:00"])
def test_held_until_nobody_knows_when(until: str) -> None:
    """It is refused with what is wrong, wherever it stood; a paid one needs no such time."""
    gate = Gate()
    gate.tell("r1", "TEA", "S1", 1, "held")
    gate.tell("r1", "TEA", "S1", 1, "confirmed")
    for one in gate.told:
        one["data"]["expires_at"] = until
    ways = [from_lines(gate.told)]
    ways += [from_records(gate.told, binary=binary) for binary in (True, False)]
    for decoded in ways:
        [refusal] = decoded.refusals
        assert refusal.code == "invalid_event"
        assert "expires_at: " in refusal.reason
        [row] = decoded.reservations
        assert (row[3], row[8]) == ("confirmed", None)
        assert decoded.read.events == 1


def test_nobody_is_named() -> None:
    """No field of an event says who holds: erasing a person changes nothing here."""
    names = {field.name for field in msgspec.structs.fields(Reservation)}
    assert names == set(RESERVATION.names) - {"updated_at", "version"}
