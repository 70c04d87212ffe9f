"""Instants: RFC 3339 with an offset on the wire, whole microseconds since 1970 UTC inside.

Whole microseconds sort, subtract and store without a time zone object.
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
    r"\d{4}-\d\d-\d\d[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?"
    r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


def parse_instant(text: str) -> int:
    """Microseconds since 1970-01-01T00:00:00Z of an RFC 3339 text; digits past them are cut.

    Raises:
        ValueError: the text is no RFC 3339 instant with an offset; the message says what is wrong.
    """
    if _RFC3339.fullmatch(text) is None:
        msg = (
            f"time {text[:64]!r} is not an RFC 3339 instant with an offset "
            "(like 2026-11-23T10:15:00+08:00)"
        )
        raise ValueError(msg)
    try:
        return to_micros(datetime.fromisoformat(text.upper()))
    except ValueError as wrong:
        msg = f"time {text!r} is not on the calendar: {wrong}"
        raise ValueError(msg) from None


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime; a naive one is a TypeError."""
    since = instant - EPOCH
    # In whole numbers: float seconds would round, and dividing timedeltas takes twice as long.
    return (since.days * 86_400 + since.seconds) * SECOND_US + since.microseconds


def midnight_of(instant: datetime) -> int:
    """Microseconds since 1970 UTC of the wall clock midnight before an instant of fixed offset."""
    seconds = (instant.hour * 60 + instant.minute) * 60 + instant.second
    return to_micros(instant) - seconds * SECOND_US - instant.microsecond


def to_datetime(micros: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def utc_text(instant: datetime) -> str:
    """RFC 3339 text in UTC of an aware datetime, with a fraction only where there is one."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def format_instant(micros: int) -> str:
    """RFC 3339 text in UTC, with a fraction only where there is one."""
    return to_datetime(micros).isoformat().replace("+00:00", "Z")
