"""Lines that no flow may stumble over, each with the reason code that it must be refused for."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from stock_events import Event, event, render


def _with(of: Event, **attributes: Any) -> Event:
    return {**of, **attributes}


def _data(**changes: Any) -> bytes:
    """A sale with other data; a value of None leaves the field out."""
    data = _SALE["data"] | changes
    return render(_with(_SALE, data={name: to for name, to in data.items() if to is not None}))


_SALE = event("sold", 1, id="garbage")
_LINE = render(_SALE)
_DEEP = 100_000

GARBAGE_KINDS: dict[str, tuple[str, bytes]] = {
    "truncated": ("not_json", _LINE[:-20]),
    "two events on a line": ("not_json", _LINE + _LINE),
    "plain text": ("not_json", b"till 4 says hello"),
    "comma separated": ("not_json", b"2026-11-23T12:00:00+08:00,TEA,S1,sold,1"),
    "invalid utf-8": ("not_json", _LINE.replace(b"TEA", b"T\xff\xfeA")),
    "overlong utf-8": ("not_json", _LINE.replace(b"TEA", b"T\xc0\x80A")),
    "binary junk": ("not_json", Random(7).randbytes(512).replace(b"\n", b"")),
    "nul bytes": ("not_json", bytes(4096)),
    "nul byte at the end": ("not_json", _LINE + b"\0"),
    "nul byte in a name": ("not_json", _LINE.replace(b"TEA", b"T\0A")),
    "byte order mark": ("not_json", b"\xef\xbb\xbf" + _LINE),
    "utf-16": ("not_json", _LINE.decode().encode("utf-16")),
    "brackets without end": ("not_json", b"[" * _DEEP),
    "brackets in a field": (
        "not_json",
        _LINE[:-1] + b',"x":' + b"[" * _DEEP + b"]" * _DEEP + b"}",
    ),
    "200 kB of nothing": ("not_json", b"x" * 200_000),
    "quantity not a number": ("not_json", _LINE.replace(b'"quantity":1', b'"quantity":NaN')),
    "json array": ("invalid_event", b"[" + _LINE + b"]"),
    "json text": ("invalid_event", b'"sold 1 TEA"'),
    "json null": ("invalid_event", b"null"),
    "type is a number": ("invalid_event", render(_with(_SALE, type=1))),
    "wrong specversion": ("invalid_event", render(_with(_SALE, specversion="0.3"))),
    "empty id": ("invalid_event", render(_with(_SALE, id=""))),
    "empty source": ("invalid_event", render(_with(_SALE, source=""))),
    "id is a number": ("invalid_event", render(_with(_SALE, id=17))),
    "no data": ("invalid_event", render({k: v for k, v in _SALE.items() if k != "data"})),
    "data as text": ("invalid_event", render(_with(_SALE, data=json.dumps(_SALE["data"])))),
    "missing sku": ("invalid_event", _data(sku=None)),
    "missing place": ("invalid_event", _data(place=None)),
    "missing kind": ("invalid_event", _data(kind=None)),
    "missing quantity": ("invalid_event", _data(quantity=None)),
    "unknown kind": ("invalid_event", _data(kind="stolen")),
    "float quantity": ("invalid_event", _data(quantity=2.5)),
    "float without fraction": ("invalid_event", _data(quantity=2.0)),
    "zero quantity": ("invalid_event", _data(quantity=0)),
    "negative quantity": ("invalid_event", _data(quantity=-1)),
    "quantity as text": ("invalid_event", _data(quantity="1")),
    "quantity as truth": ("invalid_event", _data(quantity=True)),
    "barcode as quantity": ("invalid_event", _data(quantity=6_901_234_567_892)),
    "huge quantity": ("invalid_event", _data(quantity=10**30)),
    "200 kB sku": ("invalid_event", _data(sku="T" * 200_000)),
    "adjusted without reason": ("invalid_event", _data(kind="adjusted")),
    "adjusted by 0": ("invalid_event", _data(kind="adjusted", quantity=0, reason="x")),
    "transfer to itself": ("invalid_event", _data(kind="transfer_out", to_place="S1")),
    "transfer to nowhere": ("invalid_event", _data(kind="transfer_out")),
    "counted below 0": ("invalid_event", _data(kind="counted", quantity=-1)),
    "corrects nothing": ("invalid_event", _data(kind="corrected")),
    "unknown type": ("unknown_type", render(_with(_SALE, type="stock.movement.v2"))),
    "type of somebody else": ("unknown_type", render(_with(_SALE, type="com.example.ping"))),
    "time without offset": ("invalid_time", render(_with(_SALE, time="2026-11-23T12:00:00"))),
    "30 February": ("invalid_time", render(_with(_SALE, time="2026-02-30T12:00:00+08:00"))),
    "hour 24": ("invalid_time", render(_with(_SALE, time="2026-11-23T24:00:00+08:00"))),
    "date alone": ("invalid_time", render(_with(_SALE, time="2026-11-23"))),
    "time in words": ("invalid_time", render(_with(_SALE, time="yesterday"))),
    "empty time": ("invalid_time", render(_with(_SALE, time=""))),
}

GARBAGE: dict[str, list[bytes]] = {}
"""The lines by reason code."""
for _reason_code, _line in GARBAGE_KINDS.values():
    GARBAGE.setdefault(_reason_code, []).append(_line)
