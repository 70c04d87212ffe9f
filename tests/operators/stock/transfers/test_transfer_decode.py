"""Records of the log to facts, in both modes of CloudEvents, and what is no event."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from transfer_world import NOW, SKU, oversell, position

from operators.records import Record, RecordBlock
from operators.stock.decode import Sharder
from operators.stock.transfers.decode import DecodedTransfers, TransferDecoder
from operators.stock.transfers.facts import Decided, Fact, Moved, identity, sku_of
from schemas.instants import format_instant
from schemas.transfer import TransferDecision
from sinks.kafka.events import to_record
from sinks.transfers.records import decision_record

SHARDS = 16


def movement(event: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": event,
        "source": "erp/1",
        "type": "stock.movement.v1",
        "time": format_instant(NOW),
        "data": {"sku": SKU, "place": "A", **data},
    }


def binary(event: dict[str, Any], offset: int = 0) -> Record:
    made = to_record(
        event["type"], event["source"], event["id"], event["time"], event["data"], key=SKU
    )
    return Record(made.key, made.value, made.headers, offset, -1)


def structured(event: dict[str, Any], offset: int = 0) -> Record:
    return Record(None, msgspec.json.encode(event), (), offset, -1)


def decode(*records: Record, topic: str = "t") -> DecodedTransfers:
    return TransferDecoder(Sharder(SHARDS)).decode(RecordBlock(topic, 3, list(records)))


def facts(*records: Record) -> list[Fact]:
    found = decode(*records)
    assert not found.refusals
    return [fact for batch in found.batches for fact in batch.facts]


@pytest.mark.parametrize("mode", [binary, structured])
def test_movements_that_touch_a_transfer(mode: Any) -> None:
    sent = movement("1", kind="transfer_out", quantity=4, to_place="B", transfer="T-1")
    came = movement("2", kind="transfer_in", quantity=3, transfer="T-1")
    found = movement("3", kind="adjusted", quantity=-1, reason="lost", transfer="T-1")
    undone = movement("4", kind="corrected", corrects="2")
    mine = [identity("erp/1", str(number)) for number in range(1, 5)]
    assert facts(*map(mode, (sent, came, found, undone))) == [
        Moved(mine[0], NOW, "transfer_out", SKU, "A", "B", 4, "T-1"),
        Moved(mine[1], NOW, "transfer_in", SKU, "A", "", 3, "T-1"),
        Moved(mine[2], NOW, "adjusted", SKU, "A", "", -1, "T-1"),
        Moved(mine[3], NOW, "corrected", SKU, "A", corrects=mine[1]),
    ]


def test_other_movements_and_those_that_cannot_be_read_are_no_concern_here() -> None:
    sold = movement("1", kind="sold", quantity=1, order="transfer me")
    nameless = movement("2", kind="transfer_in", quantity=1)
    broken = movement("3", kind="transfer_in", quantity=0, transfer="T-1")
    other = movement("4", kind="sold", quantity=1) | {"type": "pos.order.v1"}
    records = [binary(one) for one in (sold, nameless, broken, other)]
    assert facts(*records, Record(b"k", None, (), 9, -1)) == []


def test_positions_alerts_and_decisions() -> None:
    where = position("B", 3)
    alert = oversell("B", 2, ("web-1",))
    said = TransferDecision(
        suggestion=f"{SKU}/A>B/1",
        sku=SKU,
        decision="rejected",
        decided_at=datetime(2026, 11, 23, tzinfo=UTC),
        quiet_hours=5,
    )
    records = []
    for made in (
        to_record("stock.position.v1", "tillflow/stock", "1", format_instant(NOW), where, key=SKU),
        to_record("stock.alert.v1", "tillflow/stock", "2", format_instant(NOW), alert, key=SKU),
        decision_record(said, "tillflow/decisions"),
    ):
        records.append(Record(made.key, made.value, made.headers, 7, -1))
    found = facts(*records)
    assert found[:2] == [where, alert]
    (decided,) = found[2:]
    assert isinstance(decided, Decided)
    assert (decided.decision, decided.origin, decided.position) == (said, "t/3", 7)
    assert msgspec.json.decode(decided.raw, type=TransferDecision) == said


@pytest.mark.parametrize(
    ("type", "value", "words"),
    [
        ("stock.position.v1", b'{"sku":"X"}', "place"),
        ("stock.transfer_decision.v1", b'{"suggestion":"","sku":"X"}', "suggestion"),
        ("stock.transfer_decision.v1", b"not json", "malformed"),
        ("stock.alert.v1", b"[]", "array"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words_and_the_others_go_on(
    type: str, value: bytes, words: str
) -> None:
    headers = (("ce_specversion", b"1.0"), ("ce_type", type.encode()))
    wrong = Record(b"k", value, headers, 11, -1)
    good = binary(movement("1", kind="transfer_in", quantity=3, transfer="T-1"), 12)
    found = decode(wrong, good)
    (refusal,) = found.refusals
    assert (refusal.origin, refusal.position, refusal.code) == ("t/3", 11, "invalid_event")
    assert words in refusal.reason
    assert refusal.raw == value
    assert found.dead == [wrong]
    assert [len(batch.facts) for batch in found.batches] == [1]


def test_facts_of_a_sku_go_to_the_shard_of_the_sku() -> None:
    sharder = Sharder(SHARDS)
    records = []
    for number in range(40):
        event = movement(str(number), kind="transfer_in", quantity=1, transfer="T")
        event["data"]["sku"] = f"SKU-{number}"
        records.append(binary(event, number))
    found = decode(*records)
    assert len(found.batches) > 5
    for batch in found.batches:
        assert {sharder.of(sku_of(fact)) for fact in batch.facts} == {batch.shard}


def test_no_two_pairs_of_source_and_id_are_one_identity() -> None:
    assert identity("a", "bc") != identity("ab", "c")
    assert identity("1", "1:1") != identity("1:", "11")
