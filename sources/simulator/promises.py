"""Promises: what a channel believes, what is really there, and what becomes of it.

A channel promises by its own view of the record: events delivered so far, and possibly some minutes
old. The shelf is judged at the same instant for the truth, and again when somebody goes to pick.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sources.simulator.counts import Counts
from sources.simulator.courier import Source
from sources.simulator.desk import Desk
from sources.simulator.instants import MINUTE_MS, SECOND_MS, local_ms
from sources.simulator.places import Site
from sources.simulator.returns import Returns
from sources.simulator.settings import Channel
from sources.simulator.world import World

# What is promised again by another place has its line's number with this behind it.
MOVED = "+"
# Warehouses pick between these quarters of an hour of the local day.
PICKING_HOURS = (24, 88)


@dataclass(slots=True)
class Promise:
    """One promised line. The figures are those of the instant it was given."""

    order: str
    line: str
    channel: Channel
    site: Site
    sku: int
    units: int
    placed_ms: int
    seen: int
    recorded: int
    true_on_hand: int
    true_claimed: int
    why_not: str
    open: bool = True


class Promises:
    """All promises of all channels."""

    def __init__(self, world: World, counts: Counts, returns: Returns, desk: Desk) -> None:
        self._world = world
        self._desk = desk
        self._counts = counts
        self._returns = returns
        self._open: dict[tuple[str, str], Promise] = {}

    def promise(
        self, channel: Channel, site: Site, order: str, line: str, sku: int, units: int, seen: int
    ) -> Promise:
        """A place that seems to have enough (`seen` units) promises a line of an order."""
        world = self._world
        now_ms, place = world.agenda.now_ms, site.index
        on_hand = world.shelves.on_hand[place][sku]
        claimed = world.shelves.claimed[place][sku]
        recorded = world.records.promisable(place, sku)
        why_not = ""
        if on_hand - claimed < units:
            visible = world.records.visible(place, sku)
            # The nearest fault to the shelf is named: a wrong record, then a record that has
            # not arrived, then a view that is older than what has arrived.
            if recorded >= units:
                why_not = "phantom"
            else:
                why_not = "undelivered" if visible >= units else "cached_view"
        promise = Promise(
            order,
            line,
            channel,
            site,
            sku,
            units,
            now_ms,
            seen,
            recorded,
            on_hand,
            claimed,
            why_not,
        )
        world.shelves.claimed[place][sku] += units
        world.recorder.movement(
            "allocated",
            self._source(channel, site),
            place,
            sku,
            units,
            now_ms,
            order=order,
            line=line,
        )
        self._open[order, promise.line] = promise
        return promise

    def plan(self, channel: Channel, promises: list[Promise], cancels: float, ships: float) -> None:
        """Puts the picking of an order on the agenda, or its cancelling before that."""
        world = self._world
        minutes = channel.ship_minutes_to - channel.ship_minutes_from
        wait_ms = int((channel.ship_minutes_from + minutes * ships) * MINUTE_MS)
        cancel_share = world.settings.online.cancel_share
        for promise in promises:
            pick_ms = self._open_ms(promise.site, promise.placed_ms + wait_ms)
            if cancels < cancel_share:
                share = cancels / cancel_share
                at_ms = promise.placed_ms + int((pick_ms - promise.placed_ms) * share)
                world.agenda.at(at_ms, self._cancel, promise)
            else:
                world.agenda.at(pick_ms, self._pick, promise)

    def close(self) -> None:
        """Writes down what is still open at the end."""
        for promise in self._open.values():
            self._write(promise, "open", None, 0, "")
        self._open.clear()

    def _source(self, channel: Channel, site: Site) -> Source:
        """A channel speaks with one voice, in the zone of the chain's first city."""
        first = self._world.sites[0]
        assert site is not None
        return self._world.recorder.source(channel.name, first)

    def _open_ms(self, site: Site, at_ms: int) -> int:
        """The instant itself where somebody is there to pick, else the next opening."""
        zone = site.city.zone
        opens, closes = (site.shop.opens, site.shop.closes) if site.shop else PICKING_HOURS
        day: date = datetime.fromtimestamp(at_ms // SECOND_MS, UTC).astimezone(zone).date()
        if at_ms < local_ms(zone, day, opens):
            return local_ms(zone, day, opens) + at_ms % (20 * MINUTE_MS)
        if at_ms >= local_ms(zone, day, closes):
            tomorrow = local_ms(zone, day + timedelta(days=1), opens)
            return tomorrow + at_ms % (20 * MINUTE_MS)
        return at_ms

    def _cancel(self, promise: Promise) -> None:
        """The customer does not want it any more."""
        self._release(promise, promise.units, "customer_cancelled")
        self._finish(promise, "cancelled", 0, "")

    def _pick(self, promise: Promise) -> None:
        """Somebody goes to the shelf: what is there is shipped, what is not is released."""
        world, place = self._world, promise.site.index
        units = world.shelves.take(place, promise.sku, promise.units, "shipped")
        now_ms = world.agenda.now_ms
        if units:
            world.shelves.claimed[place][promise.sku] -= units
            world.recorder.movement(
                "shipped",
                world.recorder.back_office(place),
                place,
                promise.sku,
                units,
                now_ms,
                order=promise.order,
                line=promise.line,
            )
            self._returns.maybe(place, promise.sku, units, promise.order, promise.line)
        missing = promise.units - units
        if missing:
            self._release(promise, missing, "short")
            if world.settings.supply.count_on_short_pick:
                self._counts.at(now_ms + MINUTE_MS, promise.site, promise.sku)
            other = self._desk.instead(promise, missing)
            if other is not None:
                self._move(promise, other, missing, units)
                return
        broken_by = (promise.why_not or "taken_after") if missing else ""
        self._finish(promise, "broken" if missing else "kept", units, broken_by)

    def _move(self, promise: Promise, other: Site, missing: int, shipped: int) -> None:
        """Another place promises what is missing, and somebody goes to pick it there."""
        self._finish(promise, "moved", shipped, promise.why_not or "taken_after")
        line = f"{promise.line}{MOVED}"
        moved = self.promise(
            promise.channel, other, promise.order, line, promise.sku, missing, missing
        )
        channel = promise.channel
        wait_ms = int(channel.ship_minutes_from * MINUTE_MS)
        self._world.agenda.at(self._open_ms(other, moved.placed_ms + wait_ms), self._pick, moved)

    def _release(self, promise: Promise, units: int, reason: str) -> None:
        world, place = self._world, promise.site.index
        world.shelves.claimed[place][promise.sku] -= units
        world.recorder.movement(
            "released",
            self._source(promise.channel, promise.site),
            place,
            promise.sku,
            units,
            world.agenda.now_ms,
            order=promise.order,
            line=promise.line,
            reason=reason,
        )

    def _finish(self, promise: Promise, outcome: str, shipped: int, broken_by: str) -> None:
        del self._open[promise.order, promise.line]
        self._write(promise, outcome, self._world.agenda.now_ms, shipped, broken_by)

    def _write(
        self, promise: Promise, outcome: str, at_ms: int | None, shipped: int, broken_by: str
    ) -> None:
        """One row of the truth."""
        site = promise.site.name
        self._world.truth.add(
            "promises",
            (
                f"{promise.order}:{promise.line}:{site}",
                promise.order,
                promise.line,
                promise.channel.name,
                self._world.goods.skus[promise.sku].name,
                site,
                promise.units,
                promise.placed_ms * 1_000,
                promise.seen,
                promise.recorded,
                promise.true_on_hand,
                promise.true_claimed,
                int(not promise.why_not),
                promise.why_not,
                outcome,
                None if at_ms is None else at_ms * 1_000,
                shipped,
                broken_by,
            ),
        )
