"""What door counters report of those who come and go."""

from __future__ import annotations

from bisect import bisect
from datetime import date
from random import Random

from schemas.shop_events import Visit
from sources.simulator import exact
from sources.simulator.instants import HOUR_MS, MINUTE_MS
from sources.simulator.places import Site
from sources.simulator.shop_day import ShopDay
from sources.simulator.streams import stream
from sources.simulator.world import World

# Doors report until the last customer has gone, and at least this long after closing.
AFTER_CLOSING_MS = 45 * MINUTE_MS
OUTAGE_FROM_MS, OUTAGE_TO_MS = HOUR_MS // 2, 4 * HOUR_MS


class Doors:
    """Door counters of all shops. A zero is reported; a report that is not there means nothing."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._every_ms = world.settings.trade.door_report_minutes * MINUTE_MS

    def plan(self, site: Site, day: ShopDay) -> None:
        """Puts a shop's reports of a day on the agenda."""
        assert site.shop is not None
        rng = stream(self._world.settings.seed, "doors", site.name, day.hours.day)
        opens_ms = day.hours.opens_ms
        last_ms = max(day.hours.closes_ms + AFTER_CLOSING_MS, max(day.left, default=0) + 1)
        slots = -(-(last_ms - opens_ms) // self._every_ms)
        doors = len(site.shop.door_shares)
        counts_in, counts_out = ([[0] * slots for _ in range(doors)] for _ in range(2))
        shares = exact.summed(list(site.shop.door_shares))
        missed = self._world.settings.imperfections.door_miss_rate
        for crossings, counts in ((day.entered, counts_in), (day.left, counts_out)):
            for at_ms in crossings:
                door = min(doors - 1, bisect(shares, rng.random()))
                if rng.random() >= missed:
                    counts[door][(at_ms - opens_ms) // self._every_ms] += 1
        for door in range(doors):
            dead_from, dead_to = self._outage(site, day, door)
            for slot in range(slots):
                at_ms = opens_ms + (slot + 1) * self._every_ms
                if not dead_from < at_ms <= dead_to:
                    entered, left = counts_in[door][slot], counts_out[door][slot]
                    self._world.agenda.at(at_ms, self._report, site, door, entered, left)

    def _outage(self, site: Site, day: ShopDay, door: int) -> tuple[int, int]:
        """From when to when a door's counter is dead; nowhere on most days."""
        rng: Random = self._outage_stream(site, door, day.hours.day)
        if rng.random() >= self._world.settings.imperfections.door_outage_rate:
            return 0, 0
        open_ms = day.hours.closes_ms - day.hours.opens_ms
        from_ms = day.hours.opens_ms + int(rng.random() * open_ms)
        to_ms = from_ms + OUTAGE_FROM_MS + int(rng.random() * (OUTAGE_TO_MS - OUTAGE_FROM_MS))
        self._world.truth.hidden(
            "door_outage",
            site.name,
            "",
            from_ms,
            quantity=0,
            known_ms=to_ms,
            detail=f"door/{site.name}/{door + 1}",
        )
        return from_ms, to_ms

    def _outage_stream(self, site: Site, door: int, day: date) -> Random:
        return stream(self._world.settings.seed, "door_outage", site.name, door, day)

    def _report(self, site: Site, door: int, entered: int, left: int) -> None:
        recorder = self._world.recorder
        source = recorder.source(f"door/{site.name}/{door + 1}", site)
        data = Visit(store=site.name, door=str(door + 1), in_=entered, out=left)
        recorder.visit(data, source, self._world.agenda.now_ms)
