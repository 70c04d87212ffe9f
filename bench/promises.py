"""Promises kept: 4-hour batches without holds, live positions without holds, and holds.

The same simulated chain three times, with the same customers, tills, thefts and late events:

    python -m bench.promises                   # 12 shops, 1 warehouse, 3 channels and tills, 3 days
    python -m bench.promises --days 1 --seeds 1

`batches` answers channels from positions of the last full four hours, `live` from positions of the
moment, `holds`
holds every line in a real Redis when the cart is filled, and what a picker does not find is held at
another place (`unmoved`: holds without that). Positions are those of
the real ledger, fed with what has arrived. A line is promised when its customer was told that it
is there and paid; it is kept when it was shipped in full, from the first place or another.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec

from bench.hold_servers import redis_server
from bench.promises_desks import BatchDesk, HoldDesk, LedgerDesk, LiveDesk
from sinks.redis.client import HoldGate
from sinks.redis.settings import GateSettings
from sources.simulator import Settings, settings_from, simulate
from sources.simulator.promises import MOVED
from sources.simulator.world import World

WAYS = ("batches", "live", "unmoved", "holds")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the order lines of one run."""

    way: str
    asked: int
    refused: int
    promised: int
    kept: int
    sold_out_while_paying: int
    broken: dict[str, int]

    @property
    def share(self) -> float:
        """Promises kept of those that are settled."""
        return self.kept / max(1, self.promised)


def scene(days: int, seed: int) -> Settings:
    """The mission's chain: 12 shops, 1 warehouse, web shop, two platforms, 800 tickets a shop.

    Goods are short and flash sales many, as in the chain whose promises held in two cases of three.
    """
    settings = settings_from("tea", days=days, seed=seed, stores=12)
    online = msgspec.structs.replace(
        settings.online, carts_per_store_day=150, flashes_per_city_week=28, flash_carts=1_200
    )
    return msgspec.structs.replace(
        settings,
        skus=120,
        forward_warehouses=0,
        central_warehouses=1,
        trade=msgspec.structs.replace(settings.trade, visitors_per_day=1_550),
        supply=msgspec.structs.replace(settings.supply, store_cover_days=1.0, safety_z=0.3),
        online=online,
    )


def run(way: str, settings: Settings, redis_url: str) -> Outcome:
    """One way of promising over the whole scene."""
    made: list[LedgerDesk] = []

    def desk_of(world: World) -> LedgerDesk:
        desk: LedgerDesk
        if way in ("unmoved", "holds"):
            gate = HoldGate(GateSettings(url=redis_url, pool=f"{way}-{settings.seed}"))
            gate.open_gate("bench")
            desk = HoldDesk(world, gate, moving=way == "holds")
        else:
            desk = LiveDesk(world) if way == "live" else BatchDesk(world)
        made.append(desk)
        return desk

    simulation = simulate(settings, desk_of)
    [desk] = made
    for delivery in simulation:
        desk.delivered(delivery)
    outcomes = {(row[1], row[2]): (row[14], row[17]) for row in simulation.truth.rows["promises"]}
    counts: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for row in simulation.truth.rows["carts"]:
        cart, line, paid, order, placed = row[0], row[1], row[8], row[10], row[11]
        counts["asked"] += 1
        if not desk.told[cart, int(line)]:
            counts["refused"] += 1
            continue
        if paid is None:
            continue
        if not placed:
            counts["promised"] += 1
            counts["sold_out"] += 1
            continue
        outcome, why = outcomes[order, line]
        while outcome == "moved":
            line += MOVED
            outcome, why = outcomes[order, line]
        if outcome in ("kept", "broken"):
            counts["promised"] += 1
            counts["kept"] += outcome == "kept"
            broken[why] += outcome == "broken"
    broken.pop("", None)
    return Outcome(
        way,
        counts["asked"],
        counts["refused"],
        counts["promised"],
        counts["kept"],
        counts["sold_out"],
        dict(broken),
    )


def show(found: dict[str, list[Outcome]]) -> None:
    """Print medians over the seeds, and what each step is worth."""
    print(f"{'':10s}{'lines asked':>12s}{'refused':>9s}{'promised':>10s}{'kept':>9s}  why not kept")
    before = None
    for way, runs in found.items():
        share = median(one.share for one in runs)
        why = sum((Counter(one.broken) for one in runs), Counter())
        why["sold out while paying"] = sum(one.sold_out_while_paying for one in runs)
        reasons = ", ".join(f"{name} {count}" for name, count in why.most_common() if count)
        step = "" if before is None else f" ({(share - before) * 100:+.1f} points)"
        print(
            f"{way:10s}{median(one.asked for one in runs):>12,.0f}"
            f"{median(one.refused for one in runs):>9,.0f}"
            f"{median(one.promised for one in runs):>10,.0f}{share:>9.1%}  {reasons}{step}"
        )
        before = share


def main(arguments: Sequence[str] | None = None) -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=WAYS)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    given = parser.parse_args(arguments)
    found: dict[str, list[Outcome]] = {way: [] for way in given.ways}
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder) / "redis") as url:
        for seed in range(1, given.seeds + 1):
            for way in given.ways:
                outcome = run(way, scene(given.days, seed), url)
                found[way].append(outcome)
                print(f"  seed {seed}  {way:8s} kept {outcome.share:.1%}", file=sys.stderr)
    show(found)
    if given.json:
        rows = [
            msgspec.to_builtins(one) | {"share": one.share}
            for ones in found.values()
            for one in ones
        ]
        given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
