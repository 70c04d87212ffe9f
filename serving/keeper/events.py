"""Events between the gate and the log, as values: what is relayed, what is read. No client here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from schemas.alert import ALERT_TYPE, Alert
from schemas.coupon_events import COUPON_TOPIC, type_of
from schemas.instants import parse_instant, to_datetime, utc_text
from schemas.reservation import RESERVATION_TYPE
from serving.keeper.ports import Record
from sinks.coupons.model import OutboxEntry as CouponEntry
from sinks.kafka.events import OutRecord, to_record
from sinks.redis.model import OutboxEntry

STRUCTURED = b"application/cloudevents+json"


class Event(NamedTuple):
    """An event as it stood on the log; `data` is its JSON."""

    type: str
    source: str
    id: str
    time: datetime
    data: bytes


class _Envelope(msgspec.Struct):
    type: str
    source: str
    id: str
    time: datetime
    data: msgspec.Raw


_envelope = msgspec.json.Decoder(_Envelope)


class Unreadable(ValueError):
    """A record that is no event."""


def source_of(pool: str, epoch: str | None = None) -> str:
    """Who says it: the gate of a pool in one of its epochs, or the keeper of the pool."""
    name = f"hold-gate/{quote(pool, safe='')}"
    return name if epoch is None else f"{name}/{quote(epoch, safe='')}"


def of_pool(source: str, pool: str) -> bool:
    """Whether the gate of a pool said it, in whatever epoch."""
    return source.startswith(source_of(pool) + "/")


def relayed(entries: Iterable[OutboxEntry], source: str) -> list[OutRecord]:
    """Entries of the outbox as records; the same entry is the same event, however often."""
    return [
        to_record(
            RESERVATION_TYPE,
            source,
            f"{entry.id}#{entry.event.sku}@{entry.event.place}",
            utc_text(entry.time),
            entry.event,
            key=entry.event.sku,
        )
        for entry in entries
    ]


def coupons_relayed(entries: Iterable[CouponEntry], source: str) -> list[OutRecord]:
    """Entries of a desk's outbox as records; the same entry is the same event, however often."""
    return [
        to_record(
            type_of(entry.what),
            source,
            f"{entry.id}#{entry.event.coupon}",
            utc_text(to_datetime(entry.at * 1000)),
            entry.event,
            key=entry.event.member or entry.event.coupon,
            topic=COUPON_TOPIC,
        )
        for entry in entries
    ]


def entry_number(event_id: str) -> tuple[int, int]:
    """The place of an event in its outbox, from its id.

    Raises:
        Unreadable: the id is none that `relayed` makes.
    """
    entry = event_id.partition("#")[0]
    milliseconds, dash, number = entry.partition("-")
    if not (dash and milliseconds.isdecimal() and number.isdecimal()):
        msg = f"id {event_id[:80]!r} does not begin with the id of an outbox entry"
        raise Unreadable(msg)
    return int(milliseconds), int(number)


def alert_record(alert: Alert, pool: str) -> OutRecord:
    """One state of an alert, with an id that a repetition has too."""
    updated_at = utc_text(alert.updated_at)
    return to_record(
        ALERT_TYPE,
        source_of(pool),
        f"{alert.alert}#{alert.status}#{updated_at}#{alert.observed}",
        updated_at,
        alert,
        key=f"{alert.sku}@{alert.place}",
    )


def read_event(record: Record) -> Event | None:
    """The event of a record, binary or structured; None for a tombstone.

    Raises:
        Unreadable: it is no event.
    """
    value = record.value
    if value is None:
        return None
    headers = {name.lower(): content or b"" for name, content in record.headers}
    try:
        if headers.get("content-type", b"").startswith(STRUCTURED) or "ce_id" not in headers:
            found = _envelope.decode(value)
            return Event(found.type, found.source, found.id, found.time, bytes(found.data))
        kind, source, event_id, time = _attributes(headers)
        return Event(kind, source, event_id, to_datetime(parse_instant(time)), value)
    except (ValueError, KeyError) as wrong:
        msg = f"it is no CloudEvent: {wrong}"
        raise Unreadable(msg) from wrong


def _attributes(headers: dict[str, bytes]) -> Sequence[str]:
    return [headers[f"ce_{name}"].decode() for name in ("type", "source", "id", "time")]
