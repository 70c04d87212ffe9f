"""What transfers between shops are worth: lost sales avoided for each unit moved, three policies.

The simulator plays one chain several times with the same demand: (a) no transfers between shops,
(b) a simple rule, every morning each shop below its safety stock is filled up to it from the shop
that has most, (c) tillflow's suggestions, all of them accepted. Both see only what the stock flow
knows from the events. Regular deliveries go on in all three.

    python -m bench.transfers
    python -m bench.transfers --days 42 --seeds 1 2 3 --stores 12 --skus 200
"""

from __future__ import annotations

import argparse
import json
import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from operators.stock.decode import Sharder
from operators.stock.facts import Batch, Fact
from operators.stock.rules import StockRules
from operators.stock.shard import StockShard
from operators.stock.transfers.facts import Decided, Moved, TransferBatch, identity
from operators.stock.transfers.rules import TransferRules
from operators.stock.transfers.shard import TransferShard
from schemas.chain import Chain
from schemas.envelope import MovementEvent
from schemas.instants import DAY_US, to_datetime, to_micros
from schemas.movement import TransferIn, TransferOut
from schemas.position import Position
from schemas.transfer import TransferDecision
from schemas.transfer_rules import TransferConfig, TransferRoute, TransferTerms
from sources.simulator.instants import local_ms
from sources.simulator.presets import settings_from
from sources.simulator.road import Road
from sources.simulator.settings import Settings
from sources.simulator.simulation import Simulation

# A shop plans at 07:00, before anybody comes in.
MORNING = 28
# Days of events before the first transfer: demand rates have to be known.
WARM_UP_DAYS = 14
MARGIN_SHARE = 0.35
SHARDS = 16
PING_PONG_US = 7 * DAY_US
# Latitude and longitude of a map on which a kilometre is a kilometre, near enough.
KM_A_DEGREE = 111.195
# Shops that run short while others have plenty: small ones, tastes that differ from shop to shop,
# suppliers that take long, and no sharing of the simulator's own.
UNEVEN = (
    "trade.visitors_per_day=250",
    "goods.taste_spread=0.9",
    "supply.store_cover_days=6",
    "supply.central_cover_days=8",
    "supply.supplier_days_from=3",
    "supply.supplier_days_to=8",
    "supply.transfers_per_store_day=0",
)
FIXED_COST, KM_COST, UNIT_COST = 300, 2, 20


@dataclass
class Tally:
    """What a policy came to; money in minor units."""

    wanted: int = 0
    lost: int = 0
    margin_lost: int = 0
    moved: int = 0
    trips: int = 0
    transport: int = 0
    ping_pong: int = 0
    alerts: int = 0


@dataclass
class Carrier:
    """Sends goods between shops and keeps the books of it."""

    simulation: Simulation
    rules: TransferRules
    tally: Tally
    road: Road = field(init=False)
    sent: list[tuple[str, str, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """A road of its own: the chain's trucks drive as if nobody else did."""
        self.road = Road(self.simulation.world)
        world = self.simulation.world
        self.sites = {site.name: site for site in world.sites}
        self.skus = {sku.name: sku.index for sku in world.goods.skus}

    def send(self, sku: str, here: str, there: str, units: int, number: str) -> None:
        """As many of the units as really stand there go."""
        world = self.simulation.world
        k, place = self.skus[sku], self.sites[here].index
        really = min(units, world.shelves.on_hand[place][k])
        if not really:
            return
        self.road.send(self.sites[here], self.sites[there], k, units, number)
        now = world.agenda.now_ms * 1_000
        self.tally.moved += really
        self.tally.trips += 1
        road = self.rules.road(here, there)
        assert road is not None
        self.tally.transport += road.fixed_cost + road.unit_cost * really
        self.tally.ping_pong += any(
            (sku, there, here) == (known, giver, taker) and now - at < PING_PONG_US
            for known, giver, taker, at in self.sent
        )
        self.sent.append((sku, here, there, now))


def chain_of(simulation: Simulation) -> Chain:
    """The simulated chain with costs of transfers, by the prices of its goods."""
    world = simulation.world
    terms = tuple(
        TransferTerms(sku=sku.name, unit_margin=round(sku.price * MARGIN_SHARE))
        for sku in world.goods.skus
    )
    route = TransferRoute(
        fixed_cost=FIXED_COST,
        unit_cost=UNIT_COST,
        km_cost=KM_COST,
        lead_time_hours=2,
        km_per_hour=60,
    )
    config = TransferConfig(
        donors=("store",),
        takers=("store",),
        terms=terms,
        routes=(route,),
        coordinates={
            site.name: (site.y_km / KM_A_DEGREE, site.x_km / KM_A_DEGREE) for site in world.sites
        },
        min_net_benefit=200,
        trigger_days=2,
        target_days=7,
        protected_days=4,
        horizon_days=6,
    )
    return msgspec.structs.replace(simulation.chain(), transfers=config)


class Known:
    """What the stock flow knows: the real ledger over the events that have arrived."""

    def __init__(self, chain: Chain) -> None:
        rules = StockRules(chain)
        self._sharder = Sharder(SHARDS)
        self._shards = [StockShard(rules) for _ in range(SHARDS)]
        self._facts: dict[int, list[Fact]] = {}
        self.moved: list[Moved] = []

    def hear(self, event: MovementEvent) -> None:
        """An event that has arrived."""
        at = to_micros(event.time)
        fact = Fact(at, event.source, event.id, event.data, 0)
        self._facts.setdefault(self._sharder.of(event.data.sku), []).append(fact)
        data = event.data
        if isinstance(data, TransferOut | TransferIn) and data.transfer:
            mine = identity(event.source, event.id)
            to = data.to_place or ""
            self.moved.append(
                Moved(mine, at, data.kind, data.sku, data.place, to, data.quantity, data.transfer)
            )

    def changed(self, now: int) -> list[Position]:
        """Positions that have changed since the last call."""
        names = Position.__struct_fields__
        found = []
        for shard, facts in self._facts.items():
            stood = array("Q", range(len(facts)))
            self._shards[shard].apply([Batch(shard, "bench", stood, facts)], now)
            for outcome in self._shards[shard].flush():
                for row in zip(*outcome.positions, strict=True):
                    fields: dict[str, Any] = dict(zip(names, row, strict=True))
                    found.append(Position(**fields | {"as_of": to_datetime(fields["as_of"])}))
        self._facts = {}
        return found


Policy = Callable[[Carrier, list[Position], list[Moved], int], None]


class Nothing:
    """(a) Shops keep what they have."""

    def __call__(self, *_: Any) -> None:
        """Nothing moves."""


class Simple:
    """(b) Below safety stock: filled up to it from the shop that has most."""

    def __init__(self, shops: Sequence[str]) -> None:
        self._shops = frozenset(shops)
        self._known: dict[str, dict[str, Position]] = {}
        self._number = 0

    def __call__(
        self, carrier: Carrier, positions: list[Position], _moved: list[Moved], _now: int
    ) -> None:
        """Every morning."""
        for position in positions:
            if position.place in self._shops:
                self._known.setdefault(position.sku, {})[position.place] = position
        for sku, places in self._known.items():
            left = {place: max(0, one.available) for place, one in places.items()}
            for place, one in sorted(places.items()):
                need = one.safety_stock - one.available - one.in_transit
                donor = max(sorted(left), key=lambda name: left[name])
                units = min(need, left[donor])
                if donor == place or units <= 0:
                    continue
                left[donor] -= units
                self._number += 1
                carrier.send(sku, donor, place, units, f"simple-{self._number}")


class Ours:
    """(c) Tillflow's suggestions, all of them accepted and sent at once."""

    def __init__(self, rules: TransferRules) -> None:
        self._shard = TransferShard(rules)

    def __call__(
        self, carrier: Carrier, positions: list[Position], moved: list[Moved], now: int
    ) -> None:
        """Every morning; timers ran out at their time."""
        outcomes = [*self._shard.tick(now)]
        outcomes += self._shard.apply([TransferBatch(0, [*moved, *positions])], now)
        outcomes.append(self._shard.plan_all(now))
        carrier.tally.alerts += sum(
            alert.status == "raised" for outcome in outcomes for alert in outcome.alerts
        )
        newest = {one.suggestion: one for outcome in outcomes for one in outcome.suggestions}
        for one in newest.values():
            if one.status != "proposed":
                continue
            said = TransferDecision(
                suggestion=one.suggestion,
                sku=one.sku,
                decision="accepted",
                decided_at=to_datetime(now),
            )
            self._shard.apply([TransferBatch(0, [Decided(said, now)])], now)
            carrier.send(one.sku, one.from_place, one.to_place, one.quantity, one.suggestion)


def play(settings: Settings, choose: Callable[[Chain, list[str]], Policy]) -> Tally:
    """One run of the chain under a policy."""
    simulation = Simulation(settings)
    world = simulation.world
    chain = chain_of(simulation)
    known, tally = Known(chain), Tally()
    carrier = Carrier(simulation, TransferRules(chain), tally)
    policy = choose(chain, [site.name for site in world.shops])

    def morning(begun: bool) -> None:
        now = world.agenda.now_ms * 1_000
        positions = known.changed(now)
        moved, known.moved = known.moved, []
        if begun:
            policy(carrier, waiting + positions, moved, now)
            waiting.clear()
        else:
            waiting.extend(positions)

    waiting: list[Position] = []
    for number in range(settings.days):
        day = settings.start + timedelta(days=number)
        at = local_ms(world.cities[0].zone, day, MORNING)
        world.agenda.at(at, partial(morning, number >= WARM_UP_DAYS))
    for delivery in simulation:
        if isinstance(delivery.event, MovementEvent):
            known.hear(delivery.event)
    price = {sku.name: round(sku.price * MARGIN_SHARE) for sku in world.goods.skus}
    for _place, sku, _share, _rate, wanted, _sold, lost in world.truth.take("demand"):
        tally.wanted += wanted
        tally.lost += lost
        tally.margin_lost += lost * price[sku]
    return tally


POLICIES: dict[str, Callable[[Chain, list[str]], Policy]] = {
    "no transfers": lambda chain, shops: Nothing(),  # noqa: ARG005
    "simple rule": lambda chain, shops: Simple(shops),  # noqa: ARG005
    "tillflow": lambda chain, shops: Ours(TransferRules(chain)),  # noqa: ARG005
}


def row(name: str, tally: Tally, base: Tally) -> str:
    """A line of the table, beside the run without transfers."""
    avoided = base.lost - tally.lost
    each = avoided / tally.moved if tally.moved else 0.0
    net = (base.margin_lost - tally.margin_lost - tally.transport) / 100
    return (
        f"{name:14s}{tally.lost:>9,}{tally.lost / tally.wanted:>9.2%}{tally.trips:>9,}"
        f"{tally.moved:>9,}{avoided:>10,}{each:>12.2f}{tally.transport / 100:>12,.0f}"
        f"{net:>12,.0f}{tally.ping_pong:>11,}"
    )


HEAD = (
    f"{'':14s}{'lost':>9s}{'share':>9s}{'trips':>9s}{'moved':>9s}{'avoided':>10s}"
    f"{'a unit':>12s}{'transport':>12s}{'net worth':>12s}{'ping-pong':>11s}"
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Play, and print a table a seed and their sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=35)
    parser.add_argument("--stores", type=int, default=8)
    parser.add_argument("--skus", type=int, default=120)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    given = parser.parse_args(arguments)
    sums = {name: Tally() for name in POLICIES}
    for seed in given.seeds:
        settings = settings_from(
            None, None, UNEVEN, seed=seed, days=given.days, stores=given.stores, skus=given.skus
        )
        print(
            f"\nseed {seed}: {given.stores} shops, {given.skus} SKUs, {given.days} days, "
            f"transfers from day {WARM_UP_DAYS + 1}\n{HEAD}"
        )
        base = Tally()
        for name, choose in POLICIES.items():
            tally = play(settings, choose)
            base = base if base.wanted else tally
            print(row(name, tally, base), flush=True)
            for key, value in vars(tally).items():
                setattr(sums[name], key, getattr(sums[name], key) + value)
    if len(given.seeds) > 1:
        print(f"\nall {len(given.seeds)} seeds\n{HEAD}")
        for name, tally in sums.items():
            print(row(name, tally, sums["no transfers"]))
    if given.json:
        given.json.write_text(json.dumps({name: vars(one) for name, one in sums.items()}, indent=1))
    if sums["tillflow"].ping_pong:
        sys.exit("ping-pong: goods went back within a week")


if __name__ == "__main__":
    main()
