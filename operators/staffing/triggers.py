"""When the flow looks again: planning hours, refreshes, and how far the windows have come."""

from __future__ import annotations

from collections.abc import Iterable

from operators.forecast.due import next_due
from schemas.chain import Chain
from schemas.instants import DAY_US, HOUR_US, MINUTE_US, to_datetime, to_micros


class Schedule:
    """The instants at which a forecast is due in some zone."""

    def __init__(self, chain: Chain) -> None:
        self._planning = chain.forecast.planning_minutes
        self._every = chain.forecast.refresh_minutes

    def after(self, instant: int, zones: Iterable[str]) -> int:
        """The first one after an instant."""
        return to_micros(next_due(to_datetime(instant), zones, self._planning, self._every))

    def latest(self, instant: int, zones: Iterable[str]) -> int:
        """The last one until an instant."""
        zones = list(zones)
        # Every zone has a planning hour a day, so one is never longer ago than two days.
        found = self.after(instant - 2 * DAY_US, zones)
        while (following := self.after(found, zones)) <= instant:
            found = following
        return found

    def zones_due(self, instant: int, zones: Iterable[str]) -> list[str]:
        """The zones in which one is due right then."""
        return [zone for zone in sorted(set(zones)) if self.after(instant - 1, [zone]) == instant]

    def plans(self, instant: int, zone: str) -> bool:
        """Whether that is the planning hour of the zone."""
        only = next_due(to_datetime(instant - 1), [zone], self._planning, 0)
        return to_micros(only) == instant


class Passage:
    """How far all stores have come in event time, those left out that went quiet."""

    def __init__(self, quiet_hours: float) -> None:
        self._quiet = round(quiet_hours * HOUR_US)
        self.newest: dict[str, int] = {}
        self.furthest = 0
        # A store that held up last time holds up most likely still.
        self._held_up = ""

    def heard(self, store: str, end: int) -> None:
        """A window of the store is over at `end`."""
        self.newest[store] = max(end, self.newest.get(store, 0))
        self.furthest = max(self.furthest, end)

    def passed(self, instant: int) -> bool:
        """Whether every store that goes on has come that far."""
        if self.furthest < instant:
            return False
        quiet = self.furthest - self._quiet
        if quiet <= self.newest.get(self._held_up, instant) < instant:
            return False
        for store, end in self.newest.items():
            if quiet <= end < instant:
                self._held_up = store
                return False
        return True


# A window is final so long after its end at the earliest; what is final then should be here.
SETTLE_US = MINUTE_US
