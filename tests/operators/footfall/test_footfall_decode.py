"""Lines and records to facts of doors and tills, and words for what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from footfall_events import arrivals, order, render, visit
from footfall_garbage import FOOTFALL_GARBAGE
from stock_events import NOON, event

from operators.footfall.decode import Decoded, FootfallDecoder
from operators.footfall.facts import NO_WAIT, OrderFact, VisitFact, window_of
from operators.records import Record, RecordBlock
from operators.stock.decode import RAW_LIMIT, Block, Sharder

DOOR = visit("C1", NOON, id="d1", come=3, go=1)
TILL = order("C1", NOON, id="o1", waited_seconds=0.5, employee="e1", task="bar")
SALE = event("sold", 1)


def decode(*lines: bytes, shards: int = 1) -> Decoded:
    """The lines as one block that begins at 11."""
    block = Block("a.jsonl", 11, len(lines), b"\n".join(lines))
    return FootfallDecoder(Sharder(shards)).decode(block)


def decode_records(*records: Record) -> Decoded:
    """The records as one block."""
    return FootfallDecoder(Sharder(1)).decode_records(RecordBlock("doors", 2, list(records)))


def binary(of: Any, offset: int, **headers: bytes) -> Record:
    """An event in binary mode."""
    given = {f"ce_{name}": str(of[name]).encode() for name in of if name != "data"}
    found = tuple({**given, "content-type": b"application/json", **headers}.items())
    return Record(b"C1", json.dumps(of["data"]).encode(), found, offset, 0)


def test_facts() -> None:
    """All that counts, in whole microseconds and milliseconds; what is left out has a default."""
    [batch] = decode(render(DOOR), render(TILL), render(order("C1", NOON, id="o2"))).batches
    assert list(batch.positions) == [11, 12, 13]
    assert batch.facts == [
        VisitFact(NOON, "door/C1/1", "d1", "C1", "1", 3, 1),
        OrderFact(NOON, "till/C1/1", "o1", "C1", 1, 100, "CNY", 30_000, 500, "e1", "bar"),
        OrderFact(NOON, "till/C1/1", "o2", "C1", 1, 100, "CNY", 30_000, NO_WAIT, None, "till"),
    ]


def test_a_door_tells_of_before_and_a_till_of_now() -> None:
    """On the border of two quarters."""
    [batch] = decode(render(DOOR), render(TILL)).batches
    assert [window_of(fact) for fact in batch.facts] == [
        NOON // 900_000_000 - 1,
        NOON // 900_000_000,
    ]


@pytest.mark.parametrize("name", FOOTFALL_GARBAGE)
@pytest.mark.parametrize("around", [0, 2])
def test_garbage(name: str, around: int) -> None:
    """Refused with its code, its line, words and its bytes; what stands around it counts."""
    code, line = FOOTFALL_GARBAGE[name]
    decoded = decode(*[render(DOOR)] * around, line, *[render(TILL)] * around)
    [refusal] = decoded.refusals
    assert (refusal.origin, refusal.position, refusal.code) == ("a.jsonl", 11 + around, code)
    assert len(refusal.reason) > 10
    assert refusal.raw == line[:RAW_LIMIT]
    assert decoded.read[:3] == (1 + 2 * around, 2 * around, 0)
    [letter] = decode_records(Record(None, line, (), 17, 0)).refusals
    assert (letter.origin, letter.position, letter.raw) == ("doors/2", 17, line[:RAW_LIMIT])
    # A file knows no difference between a line that is no JSON and half a record.
    assert letter.code == code


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (render({**DOOR, "data": {**DOOR["data"], "in": -1}}), "in: expected"),
        (render({**TILL, "data": {**TILL["data"], "items": "2"}}), "items: expected"),
        (b'{"specversion":"1.0"}', "no `type`"),
    ],
)
def test_words(line: bytes, words: str) -> None:
    """They name the field and what was expected."""
    [refusal] = decode(line).refusals
    assert words in refusal.reason


def test_others() -> None:
    """Events of other flows and blank lines are counted, not refused."""
    decoded = decode(render(SALE), b"", b" \r", render(DOOR), b'{"type":"stock.alert.v1"}')
    assert decoded.read[:3] == (3, 1, 2)
    assert decoded.refusals == []


def test_whole_blocks_and_single_lines_agree() -> None:
    """Among garbage the same facts come out as without any."""
    lines = [render(each) for each in arrivals(3)[::9]]
    whole = decode(*lines, shards=4)
    singly = decode(*lines, b"garbage", shards=4)
    assert [batch.facts for batch in whole.batches] == [batch.facts for batch in singly.batches]
    assert [b.positions for b in whole.batches] == [b.positions for b in singly.batches]
    assert len(whole.batches) > 1
    assert {fact.store for fact in whole.batches[0].facts}.isdisjoint(
        fact.store for fact in whole.batches[1].facts
    )


class TestRecords:
    def test_both_modes(self) -> None:
        """Attributes in headers, or the whole event as the value."""
        lines = decode(render(DOOR), render(TILL)).batches[0].facts
        modes = ((binary(DOOR, 5), binary(TILL, 9)), _structured(DOOR, TILL))
        for records in modes:
            [batch] = decode_records(*records).batches
            assert (batch.facts, list(batch.positions)) == (lines, [5, 9])
            assert batch.origin == "doors/2"

    def test_others(self) -> None:
        """A deletion and another flow's event."""
        decoded = decode_records(Record(b"C1", None, (), 1, 0), binary(SALE, 2))
        assert decoded.read[:3] == (2, 0, 2)
        assert decoded.dead == []

    def test_bad_headers(self) -> None:
        """Dead letters keep the record they are about."""
        bad = binary(DOOR, 7, ce_id=b"\xff")
        decoded = decode_records(binary(TILL, 6), bad)
        assert decoded.dead == [bad]
        assert decoded.refusals[0].code == "invalid_event"
        assert decoded.refusals[0].position == 7


def _structured(*events: Any) -> list[Record]:
    return [Record(None, render(each), (), 5 + 4 * at, 0) for at, each in enumerate(events)]
