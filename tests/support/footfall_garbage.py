"""Lines the footfall flow may not stumble over, each with the code that it must be refused for."""

from __future__ import annotations

from typing import Any

from footfall_events import order, render, visit
from stock_events import NOON

_VISIT = visit("C1", NOON, id="garbage", come=3)
_ORDER = order("C1", NOON, id="garbage")
_LINE = render(_VISIT)


def _visit(**data: Any) -> bytes:
    return _with(_VISIT, data)


def _order(**data: Any) -> bytes:
    return _with(_ORDER, data)


def _with(event: Any, data: dict[str, Any]) -> bytes:
    """The event with other data; a value of None leaves the field out."""
    whole = {**event["data"], **data}
    return render({**event, "data": {name: to for name, to in whole.items() if to is not None}})


FOOTFALL_GARBAGE: dict[str, tuple[str, bytes]] = {
    "truncated": ("not_json", _LINE[:-9]),
    "two events on a line": ("not_json", _LINE + _LINE),
    "plain text": ("not_json", b"door 1 says hello"),
    "invalid utf-8": ("not_json", _LINE.replace(b"C1", b"C\xff")),
    "brackets without end": ("not_json", b"[" * 100_000),
    "json array": ("invalid_event", b"[" + _LINE + b"]"),
    "no type": ("invalid_event", _LINE.replace(b'"type":"store.visit.v1",', b"")),
    "wrong specversion": ("invalid_event", render({**_VISIT, "specversion": "0.3"})),
    "empty id": ("invalid_event", render({**_VISIT, "id": ""})),
    "no source": ("invalid_event", render({**_VISIT, "source": None})),
    "no data": ("invalid_event", render({**_VISIT, "data": None})),
    "no offset": ("invalid_time", render({**_VISIT, "time": "2026-11-23T12:00:00"})),
    "year 1": ("invalid_time", render({**_VISIT, "time": "0001-01-01T12:00:00+00:00"})),
    "no store": ("invalid_event", _visit(store=None)),
    "empty store": ("invalid_event", _visit(store="")),
    "no door": ("invalid_event", _visit(door=None)),
    "less than nobody": ("invalid_event", _visit(**{"in": -1})),
    "a town at once": ("invalid_event", _visit(**{"in": 100_001})),
    "half a person": ("invalid_event", _visit(out=0.5)),
    "no items": ("invalid_event", _order(items=None)),
    "items below zero": ("invalid_event", _order(items=-1)),
    "no amount": ("invalid_event", _order(amount=None)),
    "amount beyond sums": ("invalid_event", _order(amount=10**14)),
    "amount with cents": ("invalid_event", _order(amount=9.5)),
    "no service time": ("invalid_event", _order(service_seconds=None)),
    "served before it began": ("invalid_event", _order(service_seconds=-1)),
    "served for days": ("invalid_event", _order(service_seconds=90_000)),
    "waited for days": ("invalid_event", _order(waited_seconds=90_000)),
}
