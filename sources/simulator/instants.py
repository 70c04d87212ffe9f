"""Instants of the simulation: whole milliseconds since 1970 UTC, and local times of them.

Milliseconds, because tills write no finer, and because what is written must be what is meant: a
count and a sale that differ only behind the last written digit would read as the same instant.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

from schemas.instants import to_micros

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
QUARTER_MS = 15 * MINUTE_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


@cache
def local_ms(zone: ZoneInfo, day: date, quarter: int = 0) -> int:
    """The instant at which a local day has reached its `quarter`-th quarter of an hour."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    wall = midnight + timedelta(minutes=15 * quarter)  # wall clock arithmetic: same zone object
    return to_micros(wall) // 1_000


def quarter_of(clock: str) -> int:
    """`09:30` -> 38, the quarter of an hour of the day."""
    return int(clock[:2]) * 4 + int(clock[3:]) // 15


class LocalClock:
    """Instants as aware datetimes with the offset of one zone, as events carry them.

    The offset is looked up once a second of simulated time, as many events share it.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._known: dict[int, datetime] = {}

    def at(self, at_ms: int) -> datetime:
        """An instant, in the zone's time."""
        second, millis = divmod(at_ms, SECOND_MS)
        known = self._known.get(second)
        if known is None:
            if len(self._known) > 20_000:
                self._known.clear()
            offset = datetime.fromtimestamp(second, self.zone).utcoffset()
            assert offset is not None
            # A fixed offset is what stands in the text, and the cheapest to write.
            known = self._known[second] = datetime.fromtimestamp(second, timezone(offset))
        return known.replace(microsecond=1_000 * millis)
