"""Carts of a simulated chain as real holds.

A channel never waits for a gate that is away: the customer is told no. Where it stays open
whether a payment was done, the hold is given back as soon as the gate answers again; if it turns
out to have been paid, its order is cancelled, as a shop would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from infra.live_doors import OPEN, REFUSED, HoldDoor, Units
from sources.simulator.carts import Cart
from sources.simulator.live import LivePlay
from sources.simulator.places import Site
from sources.simulator.promises import MOVED, Promise
from sources.simulator.world import World

# A hold outlives the customer's own patience by so much.
TTL_FACTOR = 1.2
SHORTEST_TTL_SECONDS = 2.0
# Of what stays open, so many are asked for at a time.
DOUBTS_A_LOOK = 20


@dataclass(slots=True)
class HoldBook:
    """What the channels know for sure: which units were promised, by reservation, and counts.

    `tried` are all payments that were asked for, also those that nobody answered; `cancelled` what
    was paid all the same, and given back because no customer had been told so.
    """

    tried: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    confirmed: dict[str, Units] = field(default_factory=dict)
    confirmed_at: dict[str, float] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


class LiveDesk:
    """Answers channels by holds of a real gate, in step with the clock.

    `cancel(reservation, units, order)` is told of what was paid after all: it is to be cancelled.
    """

    def __init__(
        self,
        world: World,
        door: HoldDoor,
        cancel: Callable[[str, Units, str], None],
        now: Callable[[], float],
        prefix: str = "",
    ) -> None:
        self._world, self._door = world, door
        self._cancel, self._now, self._prefix = cancel, now, prefix
        self.book = HoldBook()
        # What ships is of an order; the gate knows the cart it was.
        self.carts: dict[str, str] = {}
        self.play: LivePlay | None = None
        # Carts of the night come before the day begins: nobody can hold what no gate knows yet.
        self.before_first: Callable[[], None] = lambda: None
        self._held: set[str] = set()
        self._doubts: dict[str, str] = {}
        self._sites = {site.name: site for site in world.sites}

    def filled(self, cart: Cart) -> None:
        """Hold each line at the first of the cart's places that has it."""
        self._wait()
        if not self.book.counts["asked"]:
            self.before_first()
        self.settle(DOUBTS_A_LOOK)
        for line, (sku, units) in enumerate(cart.lines, start=1):
            name, counts = self._name(cart, line), self.book.counts
            counts["asked"] += 1
            state = self._hold_somewhere(name, sku, units, cart.places, self._order(cart))
            counts["refused" if state not in ("held", OPEN) else state] += 1
            if state == "held":
                self._held.add(name)
            elif state == OPEN:
                self._doubts[name] = self._order(cart)

    def given_up(self, cart: Cart) -> None:
        """What was held goes back."""
        self._wait()
        for line, _ in enumerate(cart.lines, start=1):
            name = self._name(cart, line)
            if name in self._held:
                self._held.discard(name)
                self._give_back(name, self._order(cart))

    def place_for(self, cart: Cart, line: int, order: str) -> tuple[Site, int] | None:
        """Confirm what is held."""
        if line == 1:
            self._wait()
        name = self._name(cart, line)
        if name not in self._held:
            return None
        self._held.discard(name)
        found = self._paid(name, self._order(cart))
        if found is None:
            return None
        self.carts[order] = self._order(cart)
        return self._sites[found[0][1]], cart.lines[line - 1][1]

    def promised(self, cart: Cart, line: int, site: Site) -> None:
        """The gate knows it already."""

    def instead(self, promise: Promise, missing: int) -> Site | None:
        """Hold and pay what is missing at another place that delivers to the same city."""
        name = f"{self._prefix}{promise.order}.{promise.line}{MOVED}"
        order = self.carts.get(promise.order, promise.order)
        near = [
            site
            for site in self._world.sites
            if (site.city is promise.site.city or site.kind == "central_warehouse")
            and site is not promise.site
        ]
        state = self._hold_somewhere(name, promise.sku, missing, near, order)
        if state != "held":
            if state == OPEN:
                self._doubts[name] = order
            return None
        found = self._paid(name, order)
        return None if found is None else self._sites[found[0][1]]

    def settle(self, most: int | None = None) -> int:
        """Ask again for what stayed open, some or all of it; how many are open still."""
        for name, order in list(self._doubts.items())[:most]:
            del self._doubts[name]
            if not self._give_back(name, order):
                break
        return len(self._doubts)

    def _hold_somewhere(
        self, name: str, sku: int, units: int, sites: Iterable[Site], order: str
    ) -> str:
        state = REFUSED
        sku_name = self._world.goods.skus[sku].name
        for site in sites:
            told = self._door.hold(name, sku_name, units, site.name, self._ttl(), order)
            state = told.state
            if state in ("held", OPEN):
                break
        return state

    def _paid(self, name: str, order: str) -> Units | None:
        self.book.tried.add(name)
        told = self._door.confirm(name)
        counts = self.book.counts
        if told.state == "confirmed":
            counts["confirmed"] += 1
            self.book.confirmed[name] = told.units
            self.book.confirmed_at[name] = self._now()
            return told.units
        counts["open" if told.state == OPEN else "too_late"] += 1
        if told.state == OPEN:
            self._doubts[name] = order
        return None

    def _give_back(self, name: str, order: str) -> bool:
        """Give a hold back; whether anybody answered."""
        told = self._door.release(name)
        if told.state == OPEN:
            self._doubts[name] = order
            return False
        self.book.counts[told.state] += told.state == "released"
        if told.state == "confirmed":
            # It was paid for after all, and the answer was lost on its way.
            self.book.counts["cancelled"] += 1
            self.book.cancelled.add(name)
            self.book.confirmed[name] = told.units
            self.book.confirmed_at[name] = self._now()
            self._cancel(name, told.units, order)
        return True

    def _ttl(self) -> float:
        minutes = self._world.settings.online.cart_minutes
        speed = self.play.pace.speed if self.play is not None else 1.0
        return max(SHORTEST_TTL_SECONDS, minutes * 60 / speed * TTL_FACTOR)

    def _wait(self) -> None:
        if self.play is not None:
            self.play.wait(self._world.agenda.now_ms)

    def _order(self, cart: Cart) -> str:
        return f"{self._prefix}{cart.name}"

    def _name(self, cart: Cart, line: int) -> str:
        # No slash: the API has ids in its addresses.
        return f"{self._prefix}{cart.name}.{line}"
