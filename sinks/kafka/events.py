"""What the flows say on the log, as records: CloudEvents in binary mode. No client in sight."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from operators.records import Headers, Record
from operators.stock.alerts import SEVERITY
from operators.stock.positions import position_rows
from operators.stock.refusals import Refusal
from operators.stock.shard import StockOutcome
from schemas.alert import ALERT_TYPE, Alert
from schemas.instants import format_instant, parse_instant, to_datetime, utc_text
from schemas.position import POSITION_TYPE, Position

STOCK_SOURCE = "tillflow/stock"
DEAD_LETTER_TOPIC = "tillflow.dead_letter.v1"
TOPICS_WRITTEN = (POSITION_TYPE, ALERT_TYPE, DEAD_LETTER_TOPIC)
CONTENT_TYPE = ("content-type", b"application/json")
# Brokers take records of a mebibyte unless they are told otherwise, headers included.
LONGEST_DEAD_LETTER = 900_000

_encoder = msgspec.json.Encoder()
_position_fields = Position.__struct_fields__
_alert_fields = Alert.__struct_fields__
_AS_OF = _position_fields.index("as_of")


class OutRecord(NamedTuple):
    """A record on its way to the log."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers


class DeadRecord(NamedTuple):
    """A record that could not be read, as it came, and why."""

    record: Record
    refusal: Refusal


def to_record(
    type: str,
    source: str,
    id: str,
    time: str,
    data: Any,
    *,
    key: str,
    topic: str | None = None,
    **extensions: str,
) -> OutRecord:
    """An event in binary mode; `time` is RFC 3339, the topic is named like the type.

    `extensions` are further attributes by name, such as `recordedtime` and `correlationid`.
    """
    headers: list[tuple[str, bytes | None]] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", type.encode()),
        ("ce_time", time.encode()),
        CONTENT_TYPE,
    ]
    headers += [(f"ce_{name}", value.encode()) for name, value in extensions.items()]
    value = _encoder.encode(data)
    return OutRecord(topic or type, key.encode(), value, tuple(headers))


def records_of(outcome: StockOutcome, now: int) -> Iterator[OutRecord]:
    """What an outcome of the stock flow has to say; alerts first, for somebody waits for them."""
    yield from withdrawn_alerts(outcome.withdrawn, now)
    yield from alerts(outcome.alerts)
    yield from positions(outcome.positions)
    yield from map(refused_event, outcome.refusals)


def positions(columns: Sequence[Any]) -> Iterator[OutRecord]:
    """Events of `stock.position.v1` from the columns of stock_position."""
    for row in position_rows(columns):
        values = dict(zip(_position_fields, row, strict=True))
        as_of = values["as_of"]
        values["as_of"] = to_datetime(as_of)
        key = f"{row[0]}@{row[1]}"
        yield to_record(
            POSITION_TYPE,
            STOCK_SOURCE,
            f"{key}#{values['version']}",
            format_instant(as_of),
            Position(**values),
            key=key,
        )


def alerts(rows: Iterable[Sequence[Any]]) -> Iterator[OutRecord]:
    """Events of `stock.alert.v1` from rows of stock_alert."""
    for row in rows:
        values = dict(zip(_alert_fields, row, strict=True))
        # They are JSON already, and go on as they are.
        values["claims"] = msgspec.Raw(values["claims"])
        values["evidence"] = msgspec.Raw(values["evidence"])
        for name in ("opened_at", "updated_at", "cleared_at"):
            if values[name] is not None:
                values[name] = to_datetime(values[name])
        yield _alert(Alert(**values))


def withdrawn_alerts(ids: Iterable[str], now: int) -> Iterator[OutRecord]:
    """Alerts that never were, as events that clear them; `now` in microseconds since 1970.

    What came late has shown that there was no reason for them, so there are no figures either.
    """
    for alert in ids:
        alert_type, _, rest = alert.partition("/")
        pair, _, opened_at = rest.rpartition("/")
        sku, _, place = pair.rpartition("@")
        yield _alert(
            Alert(
                alert=alert,
                alert_type=alert_type,  # type: ignore[arg-type]
                status="cleared",
                severity=SEVERITY[alert_type],  # type: ignore[arg-type]
                sku=sku,
                place=place,
                observed=0,
                level=0,
                clear_level=0,
                shortfall=0,
                claims=[],
                evidence=[{"kind": "withdrawn", "time": format_instant(now)}],
                suggested_action="nothing: events that came late show that this never was",
                opened_at=to_datetime(parse_instant(opened_at)),
                updated_at=to_datetime(now),
                cleared_at=to_datetime(now),
            )
        )


def _alert(alert: Alert) -> OutRecord:
    updated_at = utc_text(alert.updated_at)
    return to_record(
        ALERT_TYPE,
        STOCK_SOURCE,
        f"{alert.alert}#{alert.status}#{updated_at}#{alert.observed}",
        updated_at,
        alert,
        key=f"{alert.sku}@{alert.place}",
    )


def dead_letter(dead: DeadRecord) -> OutRecord:
    """A record that could not be read: its bytes, key and headers, and why."""
    record = dead.record
    headers = list(record.headers) + _reasons(dead.refusal)
    value = record.value
    if value is not None and len(value) > LONGEST_DEAD_LETTER:
        headers.append(("tillflow_cut_from_bytes", str(len(value)).encode()))
        value = value[:LONGEST_DEAD_LETTER]
    key = dead.refusal.origin.encode() if record.key is None else record.key
    return OutRecord(DEAD_LETTER_TOPIC, key, value, tuple(headers))


def refused_event(refusal: Refusal) -> OutRecord:
    """An event that was read and then refused: where it stands on the log, who it was, and why."""
    headers = _reasons(refusal)
    named = {"ce_source": refusal.event_source, "ce_id": refusal.event_id}
    headers += [(name, text.encode()) for name, text in named.items() if text is not None]
    key = refusal.origin.encode()
    return OutRecord(DEAD_LETTER_TOPIC, key, refusal.raw or None, tuple(headers))


def _reasons(refusal: Refusal) -> list[tuple[str, bytes | None]]:
    return [
        ("tillflow_reason_code", refusal.code.encode()),
        ("tillflow_reason", refusal.reason.encode(errors="replace")),
        ("tillflow_origin", refusal.origin.encode()),
        ("tillflow_offset", str(refusal.position).encode()),
    ]
