"""Instants on the wire: RFC 3339 text with an offset, and whole microseconds since 1970 UTC inside.

Whole microseconds sort, subtract and store without a time zone object; parsing 25 characters for
every event would cost as much as decoding it, so texts seen lately are remembered.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)"
)
# Tills write several events a second and an import whole days: 64 k texts are minutes to hours of
# a busy chain and under 10 MB. A full cache is emptied, which costs one slow parse a text.
_CACHE_LIMIT = 65_536
_cache: dict[str, int] = {}


def parse_instant(text: str) -> int:
    """Microseconds since 1970-01-01T00:00:00Z of an RFC 3339 text.

    Digits past the microsecond are cut.

    Raises:
        ValueError: the text is no RFC 3339 instant with an offset; the message says what is wrong.
    """
    known = _cache.get(text)
    if known is not None:
        return known
    if _RFC3339.fullmatch(text) is None:
        msg = (
            f"time {text[:64]!r} is not an RFC 3339 instant with an offset "
            "(like 2026-11-23T10:15:00+08:00)"
        )
        raise ValueError(msg)
    try:
        instant = datetime.fromisoformat(text.upper()[:64])
    except ValueError as wrong:
        msg = f"time {text[:64]!r} is not on the calendar: {wrong}"
        raise ValueError(msg) from None
    micros = to_micros(instant)
    if len(_cache) >= _CACHE_LIMIT:
        _cache.clear()
    _cache[text] = micros
    return micros


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime."""
    if instant.tzinfo is None:
        msg = f"{instant.isoformat()} has no time zone"
        raise ValueError(msg)
    return (instant - EPOCH) // MICROSECOND


def to_datetime(micros: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def format_instant(micros: int) -> str:
    """RFC 3339 text in UTC, with a fraction only where there is one."""
    return to_datetime(micros).isoformat().replace("+00:00", "Z")
