"""Makes events of what happens, books them in the record and gives them to the courier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from schemas import movement as kinds
from schemas.envelope import MovementEvent, OrderEvent, VisitEvent
from schemas.shop_events import Order, Visit
from sources.simulator.agenda import Agenda
from sources.simulator.courier import NOTICED_MS, Courier, Source
from sources.simulator.goods import Goods
from sources.simulator.instants import LocalClock
from sources.simulator.places import Site
from sources.simulator.records import Records
from sources.simulator.settings import Settings

_STRUCTS = {
    "received": kinds.Received,
    "sold": kinds.Sold,
    "returned": kinds.Returned,
    "restocked": kinds.Restocked,
    "written_off": kinds.WrittenOff,
    "allocated": kinds.Allocated,
    "released": kinds.Released,
    "shipped": kinds.Shipped,
    "transfer_out": kinds.TransferOut,
    "transfer_in": kinds.TransferIn,
    "adjusted": kinds.Adjusted,
}


@dataclass(frozen=True, slots=True)
class Booked:
    """A movement that was recorded, so that it can be taken back."""

    event: str
    kind: str
    place: int
    sku: int
    units: int
    at_ms: int
    arrival_ms: int
    order: str
    line: str


class Recorder:
    """The one way from what happens to events."""

    def __init__(
        self,
        settings: Settings,
        sites: list[Site],
        goods: Goods,
        records: Records,
        courier: Courier,
        agenda: Agenda,
    ) -> None:
        self._settings = settings
        self._sites = sites
        self._skus = [sku.name for sku in goods.skus]
        self._places = [site.name for site in sites]
        self._records = records
        self._courier = courier
        self._agenda = agenda
        self._clocks: dict[ZoneInfo, LocalClock] = {}
        self._order_numbers: dict[str, int] = {}

    def source(self, name: str, site: Site) -> Source:
        """The sender of that name, with the clock of the site."""
        zone = site.city.zone
        clock = self._clocks.get(zone)
        if clock is None:
            clock = self._clocks[zone] = LocalClock(zone)
        return self._courier.source(name, clock)

    def back_office(self, place: int) -> Source:
        """The hand-held device of a shop, or the system of a warehouse."""
        site = self._sites[place]
        kind = "handheld" if site.kind == "store" else "wms"
        return self.source(f"{kind}/{site.name}", site)

    def order_number(self, prefix: str) -> str:
        """The next order number of a shop or channel."""
        number = self._order_numbers[prefix] = self._order_numbers.get(prefix, 0) + 1
        return f"{prefix}-{number:06d}"

    def movement(
        self,
        kind: str,
        source: Source,
        place: int,
        sku: int,
        units: int,
        at_ms: int,
        *,
        to: int = -1,
        known_ms: int | None = None,
        arrive_ms: int | None = None,
        latest_ms: int | None = None,
        order: str | None = None,
        line: str | None = None,
        transfer: str | None = None,
        from_place: str | None = None,
        reason: str | None = None,
    ) -> Booked:
        """Records one movement; `to` is the target of a `transfer_out`."""
        # Only goods on the move have these: what leaves with a customer has no such fields.
        moved = {
            "transfer": transfer,
            "from_place": from_place,
            "to_place": self._places[to] if to >= 0 else None,
        }
        data = _STRUCTS[kind](
            sku=self._skus[sku],
            place=self._places[place],
            quantity=units,
            order=order,
            line=line,
            reason=reason,
            **{name: value for name, value in moved.items() if value is not None},
        )
        before = self._records.on_hand[place][sku]
        self._records.apply(kind, place, sku, units, at_ms, to)
        event, arrival_ms = self._send(
            data, source, at_ms, known_ms=known_ms, arrive_ms=arrive_ms, latest_ms=latest_ms
        )
        self._note_delay(place, sku, before, at_ms if known_ms is None else known_ms, arrival_ms)
        return Booked(event, kind, place, sku, units, at_ms, arrival_ms, order or "", line or "")

    def count(self, source: Source, place: int, sku: int, units: int, at_ms: int) -> None:
        """Records what a count found."""
        data = kinds.Counted(sku=self._skus[sku], place=self._places[place], quantity=units)
        before = self._records.on_hand[place][sku]
        self._records.count(place, sku, units, at_ms)
        rate = self._settings.imperfections.late_count_rate
        _, arrival_ms = self._send(data, source, at_ms, late_rate=rate)
        if arrival_ms - at_ms <= NOTICED_MS:
            self._records.settle(place, sku)
        else:
            self._note_delay(place, sku, before, at_ms, arrival_ms)

    def take_back(
        self, booked: Booked, source: Source, at_ms: int, arrive_ms: int | None
    ) -> Booked:
        """Records that an event was wrong; it is to be as if it had never been."""
        data = kinds.Corrected(
            sku=self._skus[booked.sku],
            place=self._places[booked.place],
            corrects=booked.event,
            quantity=booked.units,
            reason="wrong_scan",
        )
        before = self._records.on_hand[booked.place][booked.sku]
        self._records.take_back(booked.kind, booked.place, booked.sku, booked.units, booked.at_ms)
        # A reader keeps what it may have to take back only as long as events may be late.
        latest_ms = booked.at_ms + self._courier.max_ms
        event, arrival_ms = self._send(
            data, source, at_ms, arrive_ms=arrive_ms, latest_ms=latest_ms
        )
        self._note_delay(booked.place, booked.sku, before, at_ms, arrival_ms)
        return replace(booked, event=event, kind="corrected", at_ms=at_ms, arrival_ms=arrival_ms)

    def order(self, data: Order, source: Source, at_ms: int) -> None:
        """Records an order rung up at a till."""
        event = OrderEvent(
            specversion="1.0",
            id=source.next_id(),
            source=source.name,
            type="pos.order.v1",
            time=source.clock.at(at_ms),
            subject=data.store,
            sequence=f"{source.number:09d}",
            data=data,
        )
        self._courier.send(event, source, at_ms)

    def visit(self, data: Visit, source: Source, at_ms: int) -> None:
        """Records the people through one door."""
        event = VisitEvent(
            specversion="1.0",
            id=source.next_id(),
            source=source.name,
            type="store.visit.v1",
            time=source.clock.at(at_ms),
            subject=data.store,
            sequence=f"{source.number:09d}",
            data=data,
        )
        self._courier.send(event, source, at_ms)

    def _send(
        self,
        data: kinds.Movement,
        source: Source,
        at_ms: int,
        *,
        known_ms: int | None = None,
        arrive_ms: int | None = None,
        late_rate: float | None = None,
        latest_ms: int | None = None,
    ) -> tuple[str, int]:
        event = MovementEvent(
            specversion="1.0",
            id=source.next_id(),
            source=source.name,
            type="stock.movement.v1",
            time=source.clock.at(at_ms),
            subject=f"{data.sku}@{data.place}",
            sequence=f"{source.number:09d}",
            data=data,
        )
        arrival_ms = self._courier.send(
            event,
            source,
            at_ms,
            known_ms=known_ms,
            arrive_ms=arrive_ms,
            late_rate=late_rate,
            latest_ms=latest_ms,
        )
        return event.id, arrival_ms

    def _note_delay(self, place: int, sku: int, before: int, now_ms: int, arrival_ms: int) -> None:
        """Keeps channels from seeing what has not arrived."""
        change = self._records.on_hand[place][sku] - before
        if change and arrival_ms - now_ms > NOTICED_MS:
            number = self._records.delay(place, sku, change)
            self._agenda.at(arrival_ms, self._records.arrive, place, sku, change, number)
