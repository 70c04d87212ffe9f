"""Who answers a channel that asks what it may promise: the seam where a real system is put in.

By itself the simulation answers from its own books, as old as each channel's cache makes them.
Another desk may answer from live positions, or hold what is in a cart before it is paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sources.simulator.instants import MINUTE_MS
from sources.simulator.places import Site
from sources.simulator.settings import Channel

if TYPE_CHECKING:
    from sources.simulator.carts import Cart
    from sources.simulator.promises import Promise
    from sources.simulator.world import World


class Desk(Protocol):
    """Answers channels. `line` counts from 1; units are base units."""

    def filled(self, cart: Cart) -> None:
        """A cart is filled and its customer goes on to pay."""

    def given_up(self, cart: Cart) -> None:
        """The customer will not pay."""

    def place_for(self, cart: Cart, line: int, order: str) -> tuple[Site, int] | None:
        """The cart is paid: which place promises a line, and how many units it seems to have."""

    def promised(self, cart: Cart, line: int, site: Site) -> None:
        """The line is promised by that place."""

    def instead(self, promise: Promise, missing: int) -> Site | None:
        """A picker found too little: another place that serves what is missing, if there is one."""


@dataclass(slots=True)
class _View:
    """What a channel remembers of one SKU at one place."""

    fetched_ms: int
    units: int


class RecordDesk:
    """Answers from the record: events delivered so far, as old as the channel's cache lets them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._views: dict[tuple[str, int, int], _View] = {}

    def filled(self, cart: Cart) -> None:
        """Nothing is held for what is not paid."""

    def given_up(self, cart: Cart) -> None:
        """Nothing was held."""

    def place_for(self, cart: Cart, line: int, order: str) -> tuple[Site, int] | None:
        """The first place that seems to have enough."""
        sku, units = cart.lines[line - 1]
        for site in cart.places:
            view = self._view(cart.channel, site, sku)
            if view.units >= units:
                return site, view.units
        return None

    def promised(self, cart: Cart, line: int, site: Site) -> None:
        """A channel knows what it has sold itself, however old its view."""
        sku, units = cart.lines[line - 1]
        self._view(cart.channel, site, sku).units -= units

    def instead(self, promise: Promise, missing: int) -> Site | None:
        """Nobody looks for another place."""
        return None

    def _view(self, channel: Channel, site: Site, sku: int) -> _View:
        """What the channel believes a place can promise: fetched anew when it is too old."""
        key = (channel.name, site.index, sku)
        now_ms = self._world.agenda.now_ms
        view = self._views.get(key)
        if view is None or now_ms - view.fetched_ms >= channel.cache_minutes * MINUTE_MS:
            view = _View(now_ms, self._world.records.visible(site.index, sku))
            self._views[key] = view
        return view
