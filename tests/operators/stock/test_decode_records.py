"""Records to facts: both modes of CloudEvents, in bulk and one by one, and what is no event."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stock_events import Event, event, random_history, render
from stock_garbage import GARBAGE_KINDS

from operators.records import Headers, Record, RecordBlock
from operators.stock.decode import Block, Sharder
from operators.stock.decode_records import DecodedRecords, RecordDecoder
from operators.stock.facts import Fact

SALE = event("sold", 3, id="e1", source="till-9")


def binary(of: Event, offset: int = 0, value: bytes | None = None) -> Record:
    """The event in binary mode; `value` in place of its data."""
    headers = tuple(
        (f"ce_{name}", str(content).encode()) for name, content in of.items() if name != "data"
    )
    data = json.dumps(of["data"]).encode() if value is None else value
    return Record(b"key", data, (*headers, ("content-type", b"application/json")), offset, 0)


def plain(value: bytes | None, offset: int = 0, headers: Headers = ()) -> Record:
    """A record without attributes in its headers."""
    return Record(None, value, headers, offset, 0)


def decode(*records: Record) -> DecodedRecords:
    """All of them as one block."""
    return RecordDecoder(Sharder(4)).decode(RecordBlock("moves", 2, list(records)))


def facts(decoded: DecodedRecords) -> list[tuple[int, Fact]]:
    """Facts with their positions, in the order of the log."""
    return sorted(
        (
            (position, fact)
            for batch in decoded.batches
            for position, fact in zip(batch.positions, batch.facts, strict=True)
        ),
        key=lambda each: each[0],
    )


def apart(*records: Record) -> list[tuple[int, Fact]]:
    """The facts of each record decoded alone, which leaves nothing to mix up."""
    return [fact for record in records for fact in facts(decode(record))]


def test_binary_is_the_event_of_a_file() -> None:
    """Attributes from the headers and data from the value make the same fact as the line."""
    events = random_history(3, 500, skus=20)
    lines = b"\n".join(map(render, events))
    whole = Sharder(4).decode(Block("moves/2", 1, len(events), lines))
    decoded = decode(*(binary(each, number) for number, each in enumerate(events, 1)))
    assert [batch.facts for batch in decoded.batches] == [batch.facts for batch in whole.batches]
    assert [b.positions for b in decoded.batches] == [b.positions for b in whole.batches]
    assert {batch.origin for batch in decoded.batches} == {"moves/2"}
    assert decoded.read == whole.read


@pytest.mark.parametrize("gap", [0, 5])
def test_structured_is_the_line(gap: int) -> None:
    """The whole event as the value, also where offsets are missing in between."""
    events = random_history(4, 300, skus=20)
    records = [plain(render(each), n * (gap + 1)) for n, each in enumerate(events)]
    decoded = decode(*records)
    assert decoded.read.events == len(events)
    assert facts(decoded) == apart(*records)


def test_structured_by_its_content_type() -> None:
    """The content type wins over attributes that stand there too."""
    headers = (("content-type", b"application/cloudevents+json; charset=utf-8"), ("ce_id", b"no"))
    [(_, fact)] = facts(decode(plain(render(SALE), 7, headers)))
    assert fact.id == "e1"


def test_modes_mixed() -> None:
    """Each record is read in its own mode, and tombstones are counted among the others."""
    decoded = decode(binary(SALE, 3), plain(None, 4), plain(render(SALE), 9), binary(SALE, 11))
    assert [position for position, _ in facts(decoded)] == [3, 9, 11]
    assert decoded.read[:3] == (4, 3, 1)


@pytest.mark.parametrize("name", GARBAGE_KINDS)
def test_garbage_in_structured_mode(name: str) -> None:
    """The same reason as for the line of a file, with the bytes; what is around it counts."""
    code, garbage = GARBAGE_KINDS[name]
    decoded = decode(plain(render(SALE), 0), plain(garbage, 1), plain(render(SALE), 2))
    [refusal] = decoded.refusals
    assert refusal.code == code
    assert (refusal.origin, refusal.position) == ("moves/2", 1)
    assert refusal.raw == garbage[: len(refusal.raw)]
    assert refusal.raw
    assert [record.value for record in decoded.dead] == [garbage]
    assert decoded.read[:3] == (3, 2, 0)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"type": "stock.unheard.v1"}, "unknown_type", "stock.unheard.v1"),
        ({"type": ""}, "invalid_event", "no `type`"),
        ({"specversion": "0.3"}, "invalid_event", "specversion"),
        ({"time": "2026-11-23"}, "invalid_time", "RFC 3339"),
        ({"time": '2026-11-23T12:00:00Z"\n"2026-11-23T12:00:00Z'}, "invalid_time", "time"),
        ({"time": "0001-01-01T00:00:00Z"}, "invalid_time", "1900"),
        ({"id": ""}, "invalid_event", "id"),
        ({"source": "s" * 201}, "invalid_event", "source"),
    ],
)
def test_garbage_in_headers(change: dict[str, Any], code: str, words: str) -> None:
    """What is wrong with an attribute is said; the records around it are facts."""
    decoded = decode(binary(SALE, 0), binary({**SALE, **change}, 1), binary(SALE, 2))
    [refusal] = decoded.refusals
    assert (refusal.code, refusal.position) == (code, 1)
    assert words in refusal.reason
    assert decoded.read.events == 2


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" ",
        b"{}",
        b"garbage",
        b"[1]",
        b'{"sku":"A","place":"B","kind":"sold","quantity":1},"id":"other"',
        b'{"sku":"A","place":"B","kind":"sold","quantity":1}' * 2,
        b'{"sku":"A","place":"B","kind":"sold",',
        b'"quantity":1}',
        b"[" * 100_000,
        b"\xff{}",
    ],
)
def test_garbage_in_values(value: bytes) -> None:
    """Nothing of a value reaches over to attributes or to other records."""
    decoded = decode(binary(SALE, 0), binary(SALE, 1, value), binary({**SALE, "id": "e2"}, 2))
    [refusal] = decoded.refusals
    assert (refusal.position, refusal.raw) == (1, value[: 64 * 1024])
    assert [(position, fact.id) for position, fact in facts(decoded)] == [(0, "e1"), (2, "e2")]


def test_header_that_is_no_text() -> None:
    """Bytes in an attribute are named by the header that holds them."""
    record = plain(b"{}", 5, (("ce_specversion", b"1.0"), ("ce_source", b"\xff\xfe")))
    [refusal] = decode(record).refusals
    assert refusal.code == "invalid_event"
    assert "ce_source" in refusal.reason


def test_other_flows_events_are_left_alone() -> None:
    """A visit is no dead letter of the stock flow."""
    visit = {**SALE, "type": "store.visit.v1", "data": {}}
    decoded = decode(binary(visit, 0), binary(SALE, 1))
    assert decoded.refusals == []
    assert decoded.read[:3] == (2, 1, 1)


def reservation(**changes: Any) -> Event:
    """A hold that a customer has confirmed."""
    data = {"reservation": "r1", "sku": "TEA", "place": "S1", "quantity": 2, "state": "held"}
    return {**SALE, "type": "stock.reservation.v1", "data": data | changes}


def test_reservation_that_is_no_reservation() -> None:
    """It is refused with what is wrong."""
    [refusal] = decode(binary(reservation(quantity=0), 0)).refusals
    assert refusal.code == "invalid_event"
    assert "quantity" in refusal.reason
    assert decode(binary(reservation(), 0)).refusals == []


def test_recorded_time() -> None:
    """When it became known comes along, in bulk as alone."""
    late = event("sold", 1, id="late", recorded_at=60)
    [(_, fact)] = facts(decode(binary(late)))
    assert fact.recorded == fact.time + 3600 * 1_000_000


VALUES = st.sampled_from(
    [
        b'{"sku":"A","place":"B","kind":"sold","quantity":1}',
        b'{"sku":"C","place":"B",\n"kind":"sold","quantity":2}',
        b'{"sku":"A","place":"B","kind":"sold","quantity":1}{"sku":"A","place":"B"}',
        b'{"sku":"A","place":"B","kind":"sold","quantity":1}\n'
        b'{"sku":"D","place":"B","kind":"sold","quantity":1}',
        b'{"sku":"A","place":"B","kind":"sold","quantity":1,"x":[{}',
        b'{}],"quantity":1}',
        b"",
        b"{}",
        None,
    ]
)


@given(st.lists(st.tuples(VALUES, st.booleans()), min_size=1, max_size=6))
def test_no_company_changes_a_record(drawn: list[tuple[bytes | None, bool]]) -> None:
    """A record decoded in a block is what it is alone, whatever stands beside it."""
    records = []
    for offset, (value, in_headers) in enumerate(drawn):
        named = {**SALE, "id": f"e{offset}"}
        if in_headers:
            record = binary(named, offset, value or b"")
            records.append(record._replace(value=value))
        else:
            whole = {**named, "data": msgspec.Raw(value)} if value else None
            records.append(plain(msgspec.json.encode(whole) if whole else value, offset))
    together = decode(*records)
    alone = [decode(record) for record in records]
    assert facts(together) == [fact for each in alone for fact in facts(each)]
    assert together.refusals == [refusal for each in alone for refusal in each.refusals]
    assert together.dead == [record for each in alone for record in each.dead]
    total, events, others, _ = together.read
    assert total == len(records) == events + others + len(together.refusals)


def test_positions_follow_the_log() -> None:
    """Every fact says at which offset it stood, also when some records in between are garbage."""
    rng = Random(3)
    records, expected = [], []
    for offset in sorted(rng.sample(range(10_000), 300)):
        if rng.random() < 0.1:
            records.append(plain(b"?", offset))
        else:
            records.append(binary({**SALE, "id": str(offset)}, offset))
            expected.append(offset)
    assert [(p, fact.id) for p, fact in facts(decode(*records))] == [(p, str(p)) for p in expected]
