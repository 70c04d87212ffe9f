"""Phantom stock found by silence, against the hidden truth of a simulated chain.

A pair is phantom when stock is on record and none is really there. Every morning at 04:00 the
open suspicions are compared with what is really on the shelves; peers on the same mornings are the
rule of thumb "on record, and no sale for so many days", and picking at random.

    python -m bench.phantom
    python -m bench.phantom --days 56 --seeds 1 2 3 --stores 12 --skus 300
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from flows.replayed import replay
from operators.stock.decode import Sharder
from operators.stock.facts import Batch, Fact
from operators.stock.phantom.machine import SEEN, PhantomMachine
from operators.stock.rules import StockRules
from operators.stock.shard import StockShard
from schemas.envelope import MovementEvent
from schemas.instants import DAY_US, HOUR_US, to_micros
from schemas.movement import Corrected, Counted, Shipped, Sold
from schemas.phantom_rules import PhantomConfig
from sources.simulator import settings_from, simulate
from sources.simulator.settings import Settings

SHARDS = 16
WARM_UP_DAYS = 21
FACTS_AT_ONCE = 200
# 04:00 in Shanghai.
MORNING_US = 20 * HOUR_US
THUMBS = (4, 7, 14)
# Shelves that a chain is ready to count every morning.
COUNTS_A_DAY = 20

Pair = tuple[str, str]


class Watcher:
    """The ledger and the machine over events as they arrive, with a rule of thumb beside them."""

    def __init__(self, settings: Settings, config: PhantomConfig) -> None:
        self.simulation = simulate(settings)
        world = self.simulation.world
        self.skus = {sku.name: sku.index for sku in world.goods.skus}
        self.shops = {site.name: site.index for site in world.sites if site.kind == "store"}
        rules = StockRules(self.simulation.chain())
        self.sharder = Sharder(SHARDS)
        self.shards = [StockShard(rules) for _ in range(SHARDS)]
        self.machine = PhantomMachine(config)
        self.on_record: dict[Pair, int] = {}
        self.sold_at: dict[Pair, int] = {}
        self.waiting: list[Fact] = []
        self.figures: Counter[str] = Counter()
        self.phantom_since: dict[Pair, int] = {}
        self.hours_to_tell: list[float] = []
        self.seconds = 0.0

    def really(self, pair: Pair) -> int:
        """Units that really stand there now."""
        shelves = self.simulation.world.shelves
        return shelves.on_hand[self.shops[pair[1]]][self.skus[pair[0]]]

    def hear(self, event: MovementEvent) -> None:
        """One event that has arrived."""
        at = to_micros(event.time)
        self.waiting.append(Fact(at, event.source, event.id, event.data, 0))
        if isinstance(event.data, Sold | Shipped | Counted):
            pair = (event.data.sku, event.data.place)
            self.sold_at[pair] = max(at, self.sold_at.get(pair, 0))

    def work(self, now: int, *, measured: bool) -> None:
        """Take in what has arrived; judge suspicions at the moment they are raised."""
        facts, self.waiting = self.waiting, []
        by_shard: dict[int, list[Fact]] = {}
        for fact in facts:
            by_shard.setdefault(self.sharder.of(fact.movement.sku), []).append(fact)
        positions = []
        for shard, some in by_shard.items():
            stood = array("Q", range(len(some)))
            batch = Batch(shard, "bench", stood, some)
            for start in range(0, len(some), 500):
                positions += replay(self.shards[shard], batch, start).positions
        for one in positions:
            if one.place in self.shops:
                self.on_record[one.sku, one.place] = one.on_hand
        seen = [one for one in facts if one.movement.__class__ in SEEN | {Corrected}]
        began = time.perf_counter()
        rows = self.machine.apply(seen, positions)
        self.seconds += time.perf_counter() - began
        self.figures["facts"] += len(facts)
        for row in rows:
            pair = (row[4], row[5])
            if measured and row[2] == "raised" and pair[1] in self.shops:
                there = self.really(pair) == 0
                self.figures["raised"] += 1
                self.figures["raised_right"] += there
                if there and pair in self.phantom_since:
                    self.hours_to_tell.append((now - self.phantom_since[pair]) / HOUR_US)

    def notice(self, now: int) -> None:
        """When a shelf went empty behind the record's back, to the hour."""
        for pair, units in self.on_record.items():
            if units > 0 and self.really(pair) == 0:
                self.phantom_since.setdefault(pair, now)
            else:
                self.phantom_since.pop(pair, None)

    def morning(self, now: int) -> None:
        """Compare what is suspected with what is there."""
        figures = self.figures
        recorded = {pair for pair, units in self.on_record.items() if units > 0}
        phantom = {pair for pair in recorded if self.really(pair) == 0}
        suspected = {(row[4], row[5]) for row in self.machine.open()} & recorded
        judged = self.machine.judged()
        # What a silence can tell at all: it should have sold a dozen times by now.
        audible = {pair for pair in phantom if judged.get(pair, (1.0, 0.0))[1] >= 12}
        figures["mornings"] += 1
        figures["recorded"] += len(recorded)
        figures["phantom"] += len(phantom)
        figures["audible"] += len(audible)
        figures["suspected"] += len(suspected)
        figures["right"] += len(suspected & phantom)
        figures["audible_right"] += len(suspected & audible)
        ranked = sorted(judged.keys() & recorded, key=lambda pair: (judged[pair][0], pair))
        figures["counted_right"] += len(set(ranked[:COUNTS_A_DAY]) & phantom)
        longest = sorted(
            judged.keys() & recorded, key=lambda pair: (self.sold_at.get(pair, now), pair)
        )
        figures["longest_right"] += len(set(longest[:COUNTS_A_DAY]) & phantom)
        for days in THUMBS:
            named = {
                pair for pair in recorded if now - self.sold_at.get(pair, now) >= days * DAY_US
            }
            figures[f"thumb_{days}"] += len(named)
            figures[f"thumb_{days}_right"] += len(named & phantom)


def run(settings: Settings, config: PhantomConfig) -> Watcher:
    """Play a chain and watch it."""
    watcher = Watcher(settings, config)
    first = None
    hour = 0
    for delivery in watcher.simulation:
        if not isinstance(delivery.event, MovementEvent):
            continue
        now = delivery.arrival_ms * 1_000
        first = first or now
        measured = now - first >= WARM_UP_DAYS * DAY_US
        if now // HOUR_US != hour:
            watcher.work(now, measured=measured)
            if measured:
                watcher.notice(now)
                if (now - MORNING_US) // DAY_US != ((hour * HOUR_US) - MORNING_US) // DAY_US:
                    watcher.morning(now)
            hour = now // HOUR_US
        watcher.hear(delivery.event)
        if len(watcher.waiting) >= FACTS_AT_ONCE:
            watcher.work(now, measured=measured)
    return watcher


def show(figures: Counter[str], hours: Sequence[float], config: PhantomConfig) -> None:
    """Print the table."""
    base = figures["phantom"] / max(1, figures["recorded"])
    print(
        f"{figures['mornings']} mornings, {figures['recorded']:,} pairs with stock on record, "
        f"{figures['phantom']:,} of them phantom ({base:.2%})"
    )
    print(f"{'':34s}{'named':>9s}{'right':>9s}{'precision':>11s}{'recall':>9s}{'x random':>10s}")

    def line(name: str, named: int, right: int, of: int) -> None:
        precision = right / max(1, named)
        print(
            f"{name:34s}{named:>9,}{right:>9,}{precision:>11.1%}{right / max(1, of):>9.1%}"
            f"{precision / base if base else 0:>10.1f}"
        )

    line("silence (tillflow)", figures["suspected"], figures["right"], figures["phantom"])
    counts = COUNTS_A_DAY * figures["mornings"]
    line(
        f"{COUNTS_A_DAY} most improbable silences",
        counts,
        figures["counted_right"],
        figures["phantom"],
    )
    line(
        f"{COUNTS_A_DAY} longest without sale", counts, figures["longest_right"], figures["phantom"]
    )
    for days in THUMBS:
        named, right = figures[f"thumb_{days}"], figures[f"thumb_{days}_right"]
        line(f"no sale or count for {days} days", named, right, figures["phantom"])
    print(f"{'picked at random':34s}{'':>9s}{'':>9s}{base:>11.1%}{'':>9s}{1:>10.1f}")
    print(
        f"of the phantoms that should have sold 12 times since: "
        f"{figures['audible_right'] / max(1, figures['audible']):.1%} of {figures['audible']:,}"
    )
    raised, right = figures["raised"], figures["raised_right"]
    print(
        f"alerts raised: {raised:,}, right {right / max(1, raised):.1%}; wrong a day "
        f"{(raised - right) / max(1, figures['mornings']):.2f} (allowed "
        f"{config.false_alarms_per_day:g}); told {median(hours) if hours else 0:.0f} h after the "
        "shelf was empty (median)"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=49)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--stores", type=int, default=12)
    parser.add_argument("--skus", type=int, default=300)
    parser.add_argument("--preset", default="tea")
    parser.add_argument("--set", dest="sets", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--budget", type=float, default=PhantomConfig().false_alarms_per_day)
    parser.add_argument("--probability", type=float, default=PhantomConfig().probability)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    given = parser.parse_args(arguments)
    config = PhantomConfig(false_alarms_per_day=given.budget, probability=given.probability)
    total: Counter[str] = Counter()
    hours: list[float] = []
    for seed in given.seeds:
        settings = settings_from(
            given.preset,
            None,
            tuple(given.sets),
            seed=seed,
            days=given.days,
            stores=given.stores,
            skus=given.skus,
        )
        watcher = run(settings, config)
        total += watcher.figures
        hours += watcher.hours_to_tell
        facts, seconds = watcher.figures["facts"], watcher.seconds
        print(
            f"  seed {seed}: {facts:,} facts, {facts / seconds:,.0f}/s through the machine",
            file=sys.stderr,
        )
    show(total, hours, config)
    if given.json:
        given.json.write_text(json.dumps(dict(total), indent=1))


if __name__ == "__main__":
    main()
