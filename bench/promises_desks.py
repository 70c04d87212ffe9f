"""Three ways of answering a channel, over positions of the real ledger (see bench.promises)."""

from __future__ import annotations

from array import array
from typing import Any

from operators.stock.facts import Batch, Fact
from operators.stock.holds import confirmed_hold
from operators.stock.ledger import StockLedger
from operators.stock.rules import StockRules
from schemas.chain import Chain
from schemas.envelope import MovementEvent
from schemas.instants import HOUR_US, to_datetime, to_micros
from schemas.movement import Allocated
from schemas.position import Position
from schemas.warehouse import STOCK_POSITION
from sinks.redis.client import HoldGate
from sinks.redis.errors import Short, UnknownSku
from sinks.redis.model import HoldLine
from sources.simulator.carts import Cart
from sources.simulator.courier import Delivery
from sources.simulator.places import Site
from sources.simulator.promises import MOVED, Promise
from sources.simulator.world import World

BATCH_MS = 4 * 3_600_000
# Simulated time runs faster than the server's: carts end by being given up, not by its clock.
HOLD_SECONDS = 86_400.0


class LedgerDesk:
    """Answers from positions that the ledger makes of what has arrived.

    `told`: whether the customer was told that a line is there, when the cart was filled.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.told: dict[tuple[str, int], bool] = {}
        self._ledger = StockLedger(StockRules(Chain()))
        self._waiting: list[Fact] = []
        self._available: dict[tuple[str, str], int] = {}

    def delivered(self, delivery: Delivery) -> None:
        """An event has arrived."""
        event = delivery.event
        if isinstance(event, MovementEvent) and self.counts(event):
            at, recorded = to_micros(event.time), event.recordedtime
            recorded_at = 0 if recorded is None else to_micros(recorded)
            self._waiting.append(Fact(at, event.source, event.id, event.data, recorded_at))

    def counts(self, event: MovementEvent) -> bool:
        """Whether the ledger is told."""
        return True

    def catch_up(self) -> list[Position]:
        """Apply what has arrived; the positions that changed."""
        if not self._waiting:
            return []
        facts, self._waiting = self._waiting, []
        self._ledger.apply(Batch(0, "", array("Q", range(len(facts))), facts), None)
        rows = self._ledger.take_rows()
        found = []
        for row in zip(*rows.positions, strict=True):
            values: dict[str, Any] = dict(zip(STOCK_POSITION.names, row, strict=True))
            values["as_of"] = to_datetime(values["as_of"])
            position = Position(**values)
            self._available[position.place, position.sku] = position.available
            found.append(position)
        return found

    def name_of(self, sku: int) -> str:
        """The SKU's name."""
        return self.world.goods.skus[sku].name

    def units(self, cart: Cart, site: Site, sku: int) -> int:
        """What the cart's channel believes a place can promise."""
        self.catch_up()
        return self._available.get((site.name, self.name_of(sku)), 0)

    def filled(self, cart: Cart) -> None:
        """The customer sees whether each line is there, and nothing is held."""
        for line, _ in enumerate(cart.lines, start=1):
            self.told[cart.name, line] = self.place_for(cart, line, "") is not None

    def given_up(self, cart: Cart) -> None:
        """Nothing was held."""

    def place_for(self, cart: Cart, line: int, order: str) -> tuple[Site, int] | None:
        """The first of the cart's places that seems to have enough."""
        sku, wanted = cart.lines[line - 1]
        for site in cart.places:
            units = self.units(cart, site, sku)
            if units >= wanted:
                return site, units
        return None

    def promised(self, cart: Cart, line: int, site: Site) -> None:
        """The event of it is on its way."""

    def instead(self, promise: Promise, missing: int) -> Site | None:
        """Without holds nobody can say whether another place will still have it."""
        return None


class LiveDesk(LedgerDesk):
    """Positions of the moment; what is in carts is held for nobody."""


class BatchDesk(LedgerDesk):
    """Positions of the last full four hours; a channel knows what it has sold itself since."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._batch = -1
        self._told_then: dict[tuple[str, str], int] = {}
        self._sold: dict[tuple[str, str, int], int] = {}

    def units(self, cart: Cart, site: Site, sku: int) -> int:
        """As of the last batch, less what the channel has sold since."""
        batch = self.world.agenda.now_ms // BATCH_MS
        if batch != self._batch:
            self.catch_up()
            self._batch, self._told_then, self._sold = batch, dict(self._available), {}
        then = self._told_then.get((site.name, self.name_of(sku)), 0)
        return then - self._sold.get((cart.channel.name, site.name, sku), 0)

    def promised(self, cart: Cart, line: int, site: Site) -> None:
        """Sold by this channel."""
        sku, units = cart.lines[line - 1]
        key = (cart.channel.name, site.name, sku)
        self._sold[key] = self._sold.get(key, 0) + units


class HoldDesk(LedgerDesk):
    """Every line of a cart is held when it is filled, confirmed when paid, released when not.

    `moving`: what a picker does not find is held at another place.
    """

    def __init__(self, world: World, gate: HoldGate, *, moving: bool) -> None:
        super().__init__(world)
        self._gate = gate
        self._moving = moving
        self._orders: dict[str, str] = {}
        self._last = ""
        self._sites = {site.name: site for site in world.sites}

    def counts(self, event: MovementEvent) -> bool:
        """A channel's allocation is the confirmed hold, which the gate has told of already."""
        return not isinstance(event.data, Allocated)

    def catch_up(self) -> list[Position]:
        """Positions go to the gate; a till that sold what was held has the hold moved."""
        positions = super().catch_up()
        if positions:
            for pair in self._gate.project(positions).overclaimed:
                self._gate.replace(pair.sku, pair.place)
        return positions

    def filled(self, cart: Cart) -> None:
        """Hold each line at the first of the cart's places that has it."""
        self.catch_up()
        for line, (sku, units) in enumerate(cart.lines, start=1):
            self.told[cart.name, line] = any(
                self._held(cart, line, HoldLine(self.name_of(sku), units, site.name))
                for site in cart.places
            )

    def _held(self, cart: Cart, line: int, wanted: HoldLine) -> bool:
        try:
            self._gate.hold(f"{cart.name}/{line}", [wanted], ttl_seconds=HOLD_SECONDS)
        except (Short, UnknownSku):
            return False
        return True

    def given_up(self, cart: Cart) -> None:
        """What was held goes back."""
        for line, _ in enumerate(cart.lines, start=1):
            if self.told[cart.name, line]:
                self._gate.release(f"{cart.name}/{line}")

    def place_for(self, cart: Cart, line: int, order: str) -> tuple[Site, int] | None:
        """Confirm what is held; the ledger hears of it from the gate's outbox."""
        reservation = f"{cart.name}/{line}"
        if not self.told[cart.name, line]:
            return None
        self.catch_up()
        hold = self._gate.confirm(reservation)
        self._orders[reservation] = order
        self._relay()
        if hold.state != "confirmed":
            return None
        return self._sites[hold.lines[0].place], cart.lines[line - 1][1]

    def instead(self, promise: Promise, missing: int) -> Site | None:
        """Hold and confirm what is missing at another place that delivers to the same city."""
        if not self._moving:
            return None
        self.catch_up()
        sku = self.name_of(promise.sku)
        reservation = f"{promise.order}/{promise.line}{MOVED}"
        for site in self.world.sites:
            near = site.city is promise.site.city or site.kind == "central_warehouse"
            if site is promise.site or not near:
                continue
            try:
                self._gate.hold(
                    reservation, [HoldLine(sku, missing, site.name)], ttl_seconds=HOLD_SECONDS
                )
            except (Short, UnknownSku):
                continue
            self._gate.confirm(reservation)
            self._orders[reservation] = promise.order
            self._relay()
            return site
        return None

    def _relay(self) -> None:
        """Hand the gate's events to the ledger, in their order."""
        now = self.world.agenda.now_ms * (HOUR_US // 3_600_000)
        while entries := self._gate.outbox(self._last):
            for entry in entries:
                self._last = entry.id
                confirmed = confirmed_hold(entry.event)
                if confirmed is not None:
                    confirmed.order = self._orders.pop(entry.event.reservation)
                    self._waiting.append(Fact(now, "gate", entry.id, confirmed, 0))
            self._gate.trim(self._last)
