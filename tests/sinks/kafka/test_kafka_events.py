"""Positions, alerts and dead letters as records: CloudEvents whose ids a replay repeats."""

from __future__ import annotations

from typing import Any

import msgspec

from operators.records import Record
from operators.stock.refusals import Refusal
from schemas.alert import Alert
from schemas.instants import HOUR_US, parse_instant, to_datetime
from schemas.position import Position
from schemas.warehouse import STOCK_ALERT, STOCK_POSITION
from sinks.kafka import events
from sinks.kafka.events import DeadRecord, OutRecord

NOON = parse_instant("2026-11-23T12:00:00+08:00")
NOON_TEXT = "2026-11-23T04:00:00Z"


def attributes(record: OutRecord) -> dict[str, str]:
    """The headers by name; none may be there twice."""
    found = dict(record.headers)
    assert len(found) == len(record.headers)
    return {name: (content or b"").decode() for name, content in found.items()}


def position_row(**changes: Any) -> dict[str, Any]:
    """A row of stock_position."""
    row: dict[str, Any] = {
        "sku": "TEA",
        "place": "S1",
        "pool": "north",
        "on_hand": 5,
        "allocated": 2,
    }
    row |= {"quarantined": 1, "in_transit": 3, "held_confirmed_seq": 4, "available": 3}
    row |= {"safety_stock": 2, "days_of_cover": None, "demand_rate": 0.5, "version": 17}
    return row | {"as_of": NOON} | changes


def alert_row(**changes: Any) -> dict[str, Any]:
    """A row of stock_alert."""
    row: dict[str, Any] = {"alert": f"oversell/TEA@S1/{NOON_TEXT}", "status": "raised"}
    row |= {"alert_type": "oversell"}
    row |= {"severity": "critical", "sku": "TEA", "place": "S1", "observed": -1, "level": 0}
    row |= {"clear_level": 1, "shortfall": 1, "claims": '[{"claim":"sale","quantity":1}]'}
    row |= {"evidence": '[{"kind":"sold"}]', "suggested_action": "count", "opened_at": NOON}
    return row | {"updated_at": NOON, "cleared_at": None} | changes


def test_position() -> None:
    """Key, id and data of a position."""
    rows = [position_row(), position_row(place="S2", days_of_cover=1.5)]
    columns = [[row[name] for row in rows] for name in STOCK_POSITION.names]
    first, second = events.positions(columns)
    assert (first.topic, first.key) == ("stock.position.v1", b"TEA@S1")
    assert attributes(first) == {
        "ce_specversion": "1.0",
        "ce_id": "TEA@S1#17",
        "ce_source": "tillflow/stock",
        "ce_type": "stock.position.v1",
        "ce_time": NOON_TEXT,
        "content-type": "application/json",
    }
    position = msgspec.json.decode(first.value or b"", type=Position)
    assert position == Position(**{**rows[0], "as_of": to_datetime(NOON)})
    assert second.key == b"TEA@S2"
    assert msgspec.json.decode(second.value or b"", type=Position).days_of_cover == 1.5


def test_alert() -> None:
    """Each state of an alert is an event of its own."""
    cleared = alert_row(status="cleared", observed=2, updated_at=NOON + HOUR_US)
    cleared["cleared_at"] = cleared["updated_at"]
    rows: list[dict[str, Any]] = [alert_row(), cleared]
    raised, ended = events.alerts([row[name] for name in STOCK_ALERT.names] for row in rows)
    assert (raised.topic, raised.key) == ("stock.alert.v1", b"TEA@S1")
    assert attributes(raised)["ce_id"] == f"oversell/TEA@S1/{NOON_TEXT}#raised#{NOON_TEXT}#-1"
    assert attributes(ended)["ce_id"].endswith("#cleared#2026-11-23T05:00:00Z#2")
    alert = msgspec.json.decode(raised.value or b"", type=Alert)
    assert alert.claims == [{"claim": "sale", "quantity": 1}]
    assert alert.evidence == [{"kind": "sold"}]
    assert (alert.opened_at, alert.cleared_at) == (to_datetime(NOON), None)
    assert msgspec.json.decode(ended.value or b"", type=Alert).cleared_at == to_datetime(
        NOON + HOUR_US
    )


def test_alert_that_never_was() -> None:
    """Who was told of it is told that it is over, with what its id says."""
    ids = [f"stock_out/A/B@C@S 1/{NOON_TEXT}"]
    [record] = events.withdrawn_alerts(ids, NOON + HOUR_US)
    alert = msgspec.json.decode(record.value or b"", type=Alert)
    assert (alert.alert, alert.status) == (ids[0], "cleared")
    assert (alert.sku, alert.place, alert.severity) == ("A/B@C", "S 1", "high")
    assert alert.opened_at == to_datetime(NOON)
    assert record.key == b"A/B@C@S 1"


REFUSAL = Refusal("moves/3", 42, "not_json", "not a JSON object", None, None, None, b"oops")
REASONS = {
    "tillflow_reason_code": "not_json",
    "tillflow_reason": "not a JSON object",
    "tillflow_origin": "moves/3",
    "tillflow_offset": "42",
}


def test_dead_letter() -> None:
    """The record as it came, and where and why on top."""
    record = Record(b"key", b"oops", (("a", b"1"), ("a", None)), 42, 0)
    letter = events.dead_letter(DeadRecord(record, REFUSAL))
    assert letter[:3] == ("tillflow.dead_letter.v1", b"key", b"oops")
    assert letter.headers[:2] == record.headers
    assert dict(letter.headers[2:]) == {name: text.encode() for name, text in REASONS.items()}


def test_dead_letter_without_key() -> None:
    """Letters of one partition then keep their order."""
    letter = events.dead_letter(DeadRecord(Record(None, None, (), 42, 0), REFUSAL))
    assert (letter.key, letter.value) == (b"moves/3", None)


def test_dead_letter_of_any_size() -> None:
    """A letter that no broker would take would stop the flow for ever: it is cut, and says so."""
    value = b"x" * 5_000_000
    letter = events.dead_letter(DeadRecord(Record(b"k", value, (), 42, 0), REFUSAL))
    assert letter.value == value[: len(letter.value or b"")]
    assert 500_000 < len(letter.value or b"") < 1_000_000
    assert attributes(letter)["tillflow_cut_from_bytes"] == "5000000"


def test_refused_event() -> None:
    """An event that was read and refused later names itself and where it stands."""
    refusal = REFUSAL._replace(event_source="till-1", event_id="e7", raw=b"")
    letter = events.refused_event(refusal)
    assert letter.value is None
    assert attributes(letter) == {**REASONS, "ce_source": "till-1", "ce_id": "e7"}


def test_extensions() -> None:
    """Further attributes of CloudEvents by their names."""
    record = events.to_record("t.v1", "s", "1", NOON_TEXT, {}, key="k", sequence="000001")
    assert attributes(record)["ce_sequence"] == "000001"
    assert (record.topic, record.value) == ("t.v1", b"{}")
