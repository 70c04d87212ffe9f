"""When a forecast is due: at the planning hour of each zone, and again while its day goes on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# Local days that are looked at around an instant: the next planning hour is in one of them.
_DAYS = (-1, 0, 1, 2)


def next_due(after: datetime, zones: Iterable[str], planning_minutes: int, every: int) -> datetime:
    """The first instant after `after` at which a forecast is due in some zone.

    `planning_minutes` after local midnight the coming days are planned; in between the running day
    is looked at every `every` minutes, counted from local midnight (0: never). A local time that
    the clock jumps over counts as the moment of the jump.
    """
    found = []
    for name in sorted(set(zones)):
        zone = ZoneInfo(name)
        today = after.astimezone(zone).date()
        for number in _DAYS:
            day = today + timedelta(days=number)
            marks = {planning_minutes}
            if every:
                marks.update(range(0, 24 * 60, every))
            midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
            found += [(midnight + timedelta(minutes=mark)).astimezone(UTC) for mark in marks]
    return min(one for one in found if one > after)
