"""Which routes an alert takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import translate
from zoneinfo import ZoneInfo

from operators.notify.hours import end_of, parse_hours, weekday, within
from operators.notify.notice import Notice
from schemas.hooks import Route


class Zones:
    """The time zone of every place; one that is not listed has the default."""

    def __init__(self, default: str, places: Mapping[str, str] | None = None) -> None:
        self._default = ZoneInfo(default)
        self._places = {place: ZoneInfo(zone) for place, zone in (places or {}).items()}

    def of(self, place: str) -> ZoneInfo:
        """The zone of a place."""
        return self._places.get(place, self._default)


class Way:
    """One route, ready to be asked."""

    def __init__(self, route: Route, zones: Zones) -> None:
        self.route = route
        self._zones = zones
        self._places = _patterns(route.places)
        self._skus = _patterns(route.skus)
        self._hours = parse_hours(route.hours) if route.hours else None
        self._quiet = parse_hours(route.quiet) if route.quiet else None

    def takes(self, notice: Notice, now: int) -> bool:
        """Whether the route takes the alert at that moment; never by escalation alone."""
        route = self.route
        return (
            not route.only_escalated
            and notice.severity in route.severities
            and (route.types is None or notice.type in route.types)
            and self._places.match(notice.place) is not None
            and self._skus.match(notice.sku) is not None
            and self._on_duty(notice.place, now)
        )

    def _on_duty(self, place: str, now: int) -> bool:
        zone = self._zones.of(place)
        if self._hours is not None and not within(self._hours, now, zone):
            return False
        return self.route.days is None or weekday(now, zone) in self.route.days

    def quiet_until(self, notice: Notice, now: int) -> int | None:
        """When the quiet hours end that put a message off; None where it may be told now."""
        if self._quiet is None or notice.severity in self.route.passes:
            return None
        zone = self._zones.of(notice.place)
        return end_of(self._quiet, now, zone) if within(self._quiet, now, zone) else None


def matching(ways: Sequence[Way], notice: Notice, now: int) -> list[Way]:
    """The routes that take an alert, from the first to the first that stops."""
    found = []
    for way in ways:
        if way.takes(notice, now):
            found.append(way)
            if way.route.stop:
                break
    return found


def _patterns(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in patterns) or r"(?!)")
