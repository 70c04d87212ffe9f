"""The till: what is asked for meets what is on the shelf, and is scanned, mostly."""

from __future__ import annotations

from functools import partial

from schemas.shop_events import Order, OrderLine
from sources.simulator.courier import Source
from sources.simulator.instants import MINUTE_MS, SECOND_MS
from sources.simulator.members import Members
from sources.simulator.places import Site
from sources.simulator.recorder import Booked
from sources.simulator.returns import Returns
from sources.simulator.shop_day import Purchase
from sources.simulator.streams import stream
from sources.simulator.world import World

# A wrong scan is noticed between these, or not at all.
NOTICED_FROM_MS, NOTICED_TO_MS = 3 * MINUTE_MS, 120 * MINUTE_MS


class Checkout:
    """Payments at the tills of all shops."""

    def __init__(self, world: World, members: Members, returns: Returns) -> None:
        self._world = world
        self._members = members
        self._returns = returns
        self._rules = world.settings.imperfections
        self._scans = [stream(world.settings.seed, "lost_scan", s.name) for s in world.shops]
        self._wrong = [stream(world.settings.seed, "wrong_scan", s.name) for s in world.shops]
        skus = len(world.goods.skus)
        self.wanted, self.sold = ([[0] * skus for _ in world.shops] for _ in range(2))

    def pay(self, site: Site, purchase: Purchase) -> None:
        """A customer pays what is there; what is not is lost to the shop."""
        world = self._world
        now_ms, place = world.agenda.now_ms, site.index
        wanted, sold = self.wanted[place], self.sold[place]
        source = world.recorder.source(f"till/{site.name}/{purchase.till}", site)
        scans, wrong_scans = self._scans[place], self._wrong[place]
        order = ""
        lines: list[OrderLine] = []
        for sku, units in purchase.wishes:
            wanted[sku] += units
            got = world.shelves.take(place, sku, units, "sold")
            if not got:
                continue
            sold[sku] += got
            order = order or world.recorder.order_number(site.name)
            if scans.random() < self._rules.lost_scan_rate:
                name = world.goods.skus[sku].name
                world.truth.hidden("lost_scan", site.name, name, now_ms, quantity=got, detail=order)
                continue
            line = str(len(lines) + 1)
            scanned = sku
            if wrong_scans.random() < self._rules.wrong_scan_rate and len(wanted) > 1:
                scanned = self._scan_wrong(site, source, sku, got, order, line)
            else:
                world.recorder.movement(
                    "sold", source, place, sku, got, now_ms, order=order, line=line
                )
                self._returns.maybe(place, sku, got, order, line)
            price = world.goods.skus[scanned].price
            name = world.goods.skus[scanned].name
            lines.append(OrderLine(sku=name, quantity=got, amount=price * got))
        if lines:
            self._write_order(site, source, purchase, order, lines)

    def _write_order(
        self, site: Site, source: Source, purchase: Purchase, order: str, lines: list[OrderLine]
    ) -> None:
        """The order as the till has it: what was scanned, how long it took and who it was."""
        member = self._members.of_order(site.index, purchase.paid_ms)
        data = Order(
            store=site.name,
            order=order,
            opened_at=source.clock.at(purchase.started_ms).isoformat(timespec="milliseconds"),
            items=sum(line.quantity for line in lines),
            amount=sum(line.amount or 0 for line in lines),
            service_seconds=(purchase.paid_ms - purchase.started_ms) / SECOND_MS,
            waited_seconds=(purchase.started_ms - purchase.joined_ms) / SECOND_MS,
            employee=purchase.employee.name,
            task="till",
            member=member.name if member else None,
            lines=lines,
        )
        self._world.recorder.order(data, source, self._world.agenda.now_ms)

    def _scan_wrong(
        self, site: Site, source: Source, sku: int, units: int, order: str, line: str
    ) -> int:
        """Another SKU is recorded; mostly that is noticed and taken back. Answers the other SKU."""
        world, rules = self._world, self._rules
        rng = self._wrong[site.index]
        now_ms = world.agenda.now_ms
        others = len(world.goods.skus) - 1
        scanned = (sku + 1 + int(rng.random() * others)) % (others + 1)
        noticed = rng.random() >= rules.unnoticed_share
        # Within the lateness, or the reader could not know any more what is taken back.
        latest_ms = min(NOTICED_TO_MS, world.courier.max_ms // 4)
        noticed_ms = now_ms + NOTICED_FROM_MS // 3
        noticed_ms += int(rng.random() * max(0, latest_ms - NOTICED_FROM_MS))
        first = rng.random() < rules.correction_first_share and noticed
        arrive_ms = noticed_ms + MINUTE_MS + int(rng.random() * latest_ms) if first else None
        booked = world.recorder.movement(
            "sold",
            source,
            site.index,
            scanned,
            units,
            now_ms,
            order=order,
            line=line,
            arrive_ms=arrive_ms,
        )
        other = world.goods.skus[scanned].name
        world.truth.hidden(
            "wrong_scan",
            site.name,
            world.goods.skus[sku].name,
            now_ms,
            quantity=units,
            known_ms=noticed_ms if noticed else None,
            detail=f"recorded as {other}" + ("" if noticed else ", never noticed"),
            source=source.name,
            event=booked.event,
        )
        if noticed:
            act = partial(self._put_right, first=first)
            world.agenda.at(noticed_ms, act, site, source, booked, sku)
        return scanned

    def _put_right(
        self, site: Site, source: Source, booked: Booked, sku: int, *, first: bool
    ) -> None:
        """The wrong event is taken back and the right one recorded, with its real time."""
        world = self._world
        now_ms = world.agenda.now_ms
        arrive_ms = now_ms + SECOND_MS if first else None
        back = world.recorder.take_back(booked, source, now_ms, arrive_ms)
        if back.arrival_ms < booked.arrival_ms:
            world.truth.hidden(
                "correction_first",
                site.name,
                world.goods.skus[booked.sku].name,
                booked.at_ms,
                quantity=booked.units,
                known_ms=booked.arrival_ms,
                detail=f"takes back {booked.event}, which arrives later",
                source=source.name,
                event=back.event,
            )
        world.recorder.movement(
            "sold",
            source,
            site.index,
            sku,
            booked.units,
            booked.at_ms,
            known_ms=now_ms,
            order=booked.order,
            line=booked.line,
        )
