"""A small chain that lives: sales, deliveries, answers, transfers that are really carried."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import Any

from transfer_world import SKU, World, answer, moved, position

from schemas.instants import DAY_US, to_datetime
from schemas.position import Position
from schemas.transfer import TransferSuggestion

PLACES = ("A", "B", "C", "D")


@dataclass
class Shop:
    """What really stands at a place and is on its way to it."""

    available: int
    in_transit: int
    rate: float
    safety_stock: int
    version: int = 0
    as_of: int = 0


@dataclass
class Chain:
    """Plays steps against a world and checks what it suggests, against its own books."""

    world: World
    rng: Random
    shops: dict[str, Shop] = field(default_factory=dict)
    # Goods that went: from, to, when.
    gone: list[tuple[str, str, int]] = field(default_factory=list)
    on_road: list[tuple[str, str, int]] = field(default_factory=list)
    events: int = 0

    def open(self) -> None:
        """All places at once."""
        for name in PLACES:
            rate = self.rng.choice([0.0, 0.3, 1.0, 4.0])
            self.shops[name] = Shop(self.rng.choice([0, 10, 80]), 0, rate, self.rng.randrange(0, 4))
        self.check(self.world.tell(*(self.news(name) for name in PLACES)))

    def news(self, name: str) -> Position:
        """The position of a place as it is now."""
        shop = self.shops[name]
        shop.version += 1
        shop.as_of = self.world.now
        return position(
            name,
            shop.available,
            shop.rate,
            in_transit=shop.in_transit,
            safety_stock=shop.safety_stock,
            version=shop.version,
            as_of=to_datetime(self.world.now),
        )

    def step(self) -> None:
        """One random happening, and what the world says to it."""
        rng, world = self.rng, self.world
        happening = rng.randrange(11)
        name = rng.choice(PLACES)
        shop = self.shops[name]
        if happening <= 2:
            shop.available -= rng.randrange(1, 30)
            self.check(world.tell(self.news(name)))
        elif happening == 3:
            shop.available += rng.randrange(20, 90)
            self.check(world.tell(self.news(name)))
        elif happening <= 5:
            self.answer()
        elif happening <= 7:
            self.send()
        elif happening == 8:
            self.receive()
        else:
            before = len(world.log)
            world.wait(hours=rng.choice([0.1, 1, 5, 20]))
            self.check(world.log[before:])

    def answer(self) -> None:
        """Somebody says yes or no to an open suggestion."""
        found = self.world.open("proposed")
        if found:
            one = self.rng.choice(found)
            said = self.rng.choice(["accepted", "accepted", "rejected"])
            self.check(self.world.tell(answer(one.suggestion, said)))

    def send(self) -> None:
        """Goods of an accepted suggestion leave, if they are there."""
        found = self.world.open("accepted")
        if not found:
            return
        one = self.rng.choice(found)
        here, there = self.shops[one.from_place], self.shops[one.to_place]
        here.available -= one.quantity
        there.in_transit += one.quantity
        self.gone.append((one.from_place, one.to_place, self.world.now))
        self.on_road.append((one.suggestion, one.to_place, one.quantity))
        facts: list[Any] = [
            self.move("transfer_out", one.from_place, one.quantity, one.suggestion, one.to_place)
        ]
        positions = [self.news(one.from_place), self.news(one.to_place)]
        self.rng.shuffle(positions)
        if self.rng.random() < 0.5:
            # The movement is known before the positions that contain it.
            self.check(self.world.tell(*facts))
            self.world.now += 1
            facts = []
        self.check(self.world.tell(*facts, *positions))

    def receive(self) -> None:
        """Goods on the road arrive."""
        if not self.on_road:
            return
        transfer, place, units = self.on_road.pop(0)
        shop = self.shops[place]
        shop.in_transit -= units
        shop.available += units
        fact = self.move("transfer_in", place, units, transfer, "")
        self.check(self.world.tell(fact, self.news(place)))

    def move(self, kind: str, place: str, units: int, transfer: str, to: str) -> Any:
        """A movement at this instant."""
        self.events += 1
        return moved(
            kind,
            f"e{self.events}",
            place,
            units,
            transfer=transfer,
            to_place=to,
            time=self.world.now,
        )

    def check(self, changed: list[TransferSuggestion]) -> None:
        """New suggestions leave every donor its protected level, all open ones together."""
        for one in changed:
            if one.status != "proposed":
                continue
            shop = self.shops[one.from_place]
            given = sum(
                other.quantity for other in self.world.open() if other.from_place == one.from_place
            )
            level = max(shop.safety_stock, math.ceil(round(self.rate(shop) * 7, 6)))
            assert shop.available - given >= level, (one, shop)
            assert one.quantity > 0
            assert one.net_benefit >= self.world.rules.config.min_net_benefit - 1
            self.check_peace(one)

    def rate(self, shop: Shop) -> float:
        """The demand rate, fading while nothing happens where something is for sale."""
        days = (self.world.now - shop.as_of) // DAY_US
        return shop.rate * (1 - 1 / 14) ** days if shop.available > 0 else shop.rate

    def check_peace(self, one: TransferSuggestion) -> None:
        """Nothing is suggested between two places that goods went between lately."""
        for here, there, at in self.gone:
            if (there, here) == (one.from_place, one.to_place):
                assert self.world.now - at >= self.world.rules.cool_down, one
            if (here, there) == (one.from_place, one.to_place):
                assert self.world.now - at >= self.world.rules.repeat, one
            if there == one.from_place:
                assert self.world.now - at >= self.world.rules.cool_down, one


def played(seed: int, steps: int, world: World, *, restart_every: int = 0) -> Chain:
    """A chain after so many steps; with restarts the machine is dumped and restored between."""
    chain = Chain(world, Random(seed))
    chain.open()
    for step in range(steps):
        if restart_every and step % restart_every == 0:
            world.restart()
        chain.step()
    assert all(one.sku == SKU for one in world.log)
    return chain
