"""Goods that come back: brought, looked at, and put on the shelf again or thrown away."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sources.simulator.instants import HOUR_MS, MINUTE_MS, SECOND_MS, local_ms
from sources.simulator.streams import stream
from sources.simulator.world import World

# Half of what comes back does so within 18 hours, all of it within three days.
LATEST_MS = 72 * HOUR_MS
JUDGED_FROM_MS, JUDGED_TO_MS = 30 * MINUTE_MS, 20 * HOUR_MS


class Returns:
    """Returns at all places."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rngs = [stream(world.settings.seed, "returns", site.name) for site in world.sites]

    def maybe(self, place: int, sku: int, units: int, order: str, line: str) -> None:
        """A line that has just left may come back, whole or in part."""
        rng = self._rngs[place]
        if rng.random() >= self._world.settings.supply.return_rate:
            return
        share = rng.random()
        back_ms = self._world.agenda.now_ms + HOUR_MS + int(LATEST_MS * share * share)
        brought = 1 + int(rng.random() * units)
        at_ms = self._open_ms(place, back_ms, int(rng.random() * 2 * HOUR_MS))
        self._world.agenda.at(at_ms, self._bring, place, sku, brought, order, line)

    def _open_ms(self, place: int, at_ms: int, spread_ms: int) -> int:
        """The instant itself where the shop is open, else a while after it opens again."""
        site = self._world.sites[place]
        zone = site.city.zone
        opens, closes = (site.shop.opens, site.shop.closes) if site.shop else (24, 80)
        day: date = datetime.fromtimestamp(at_ms // SECOND_MS, UTC).astimezone(zone).date()
        if at_ms < local_ms(zone, day, opens):
            return local_ms(zone, day, opens) + spread_ms
        if at_ms >= local_ms(zone, day, closes):
            return local_ms(zone, day + timedelta(days=1), opens) + spread_ms
        return at_ms

    def _bring(self, place: int, sku: int, units: int, order: str, line: str) -> None:
        world, rng = self._world, self._rngs[place]
        now_ms = world.agenda.now_ms
        site = world.sites[place]
        source = (
            world.recorder.source(f"till/{site.name}/1", site)
            if site.shop
            else world.recorder.back_office(place)
        )
        world.shelves.bring_back(place, sku, units)
        world.recorder.movement(
            "returned", source, place, sku, units, now_ms, order=order, line=line
        )
        wait_ms = JUDGED_FROM_MS + int(rng.random() * (JUDGED_TO_MS - JUDGED_FROM_MS))
        world.agenda.at(now_ms + wait_ms, self._judge, place, sku, units, order)

    def _judge(self, place: int, sku: int, units: int, order: str) -> None:
        world = self._world
        good = self._rngs[place].random() < world.settings.supply.restock_share
        world.shelves.judge(place, sku, units, good=good)
        kind = "restocked" if good else "written_off"
        office = world.recorder.back_office(place)
        reason = None if good else "damaged"
        now_ms = world.agenda.now_ms
        world.recorder.movement(kind, office, place, sku, units, now_ms, order=order, reason=reason)
