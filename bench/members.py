"""Members at size: memory, events a second and the cost of a wake-up, in a plain loop.

    python -m bench.members [--members 10000 --members 100000 --members 1000000] [--orders 12]

Each size in a process of its own: a year of orders (a twentieth given back again, a hundredth of
the members merged in pairs) goes through the shards as the engine would drive them, then time alone
passes for 400 days, until every window has expired. All times are of the processor. The flow beside
its plain driver, from files to the warehouse: `python -m bench.members_flow`.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from random import Random

import click

from operators.members.facts import UNITED, Fact, Link, MemberBatch, Purchase, Refund
from operators.members.figures import Figures
from operators.members.people import People
from operators.members.persons import PersonShard
from operators.members.rows import Why
from operators.members.rules import MemberRules
from operators.members.shard import MemberShard
from operators.stock.decode import Sharder
from schemas.chain import Chain
from schemas.instants import DAY_US, parse_instant
from schemas.member_events import Origin

SHARDS = 16
BLOCK = 4_000
BEGIN = parse_instant("2025-01-01T00:00:00+08:00")
STEP = DAY_US // 24


def facts(rng: Random, members: int, orders: int) -> Iterator[tuple[Fact, tuple[str, ...]]]:
    """A year in the order of time, with whom each fact concerns; () is the shard of persons."""
    total = members * orders
    for number in range(total):
        moment = BEGIN + number * 365 * DAY_US // total
        name = f"m{rng.randrange(members)}"
        head: tuple[int, str, str, Origin] = (moment, "till/1", f"e{number}", "live")
        amount = rng.randrange(1_000, 30_000)
        yield Purchase(*head, name, number, amount, "CNY"), (name,)
        if number % 20 == 0:
            head = (moment, "till/1", f"r{number}", "live")
            yield Refund(*head, name, number, amount, "CNY", number), (name,)
        if number % (200 * orders) == 0:
            head = (moment, "crm", f"l{number}", "live")
            other = f"m{rng.randrange(members)}"
            if other != name:
                for one in (name, other):
                    yield Link(*head, one, True), (one,)
                yield Link(*head, name, True, other), ()


class Shards:
    """All shards in a plain loop."""

    def __init__(self) -> None:
        rules = MemberRules(Chain())
        self._sharder = Sharder(SHARDS)
        self.people: dict[int, People] = {one: MemberShard(rules) for one in range(SHARDS)}
        self.people[UNITED] = PersonShard(rules)
        self.told = self.rows = self.woken = 0
        for one in self.people.values():
            self._count(one)

    def _count(self, people: People) -> None:
        """Count how often a member is looked at because its time has come."""
        settle = people.settle

        def counted(name: str, why: Why) -> Figures | None:
            self.woken += why.cause == "time"
            return settle(name, why)

        people.settle = counted  # type: ignore[method-assign]

    def feed(self, block: list[tuple[Fact, tuple[str, ...]]]) -> None:
        """Take a block of facts, as the engine hands it on."""
        sorted_: dict[int, list[Fact]] = {one: [] for one in self.people}
        for fact, names in block:
            for shard in map(self._sharder.of, names):
                sorted_[shard].append(fact)
            if not names:
                sorted_[UNITED].append(fact)
        newest = block[-1][0].time
        for shard, found in sorted_.items():
            self._apply(shard, found, newest)

    def _apply(self, shard: int, found: list[Fact], newest: int) -> None:
        batch = MemberBatch(shard, "", array("Q", bytes(8 * len(found))), found, newest, "live")
        for out in self.people[shard].apply([batch], newest):
            self.told += len(out.transitions)
            assert not out.refusals, out.refusals
            if out.parts:
                self._apply(UNITED, list(out.parts), newest)

    def flush(self) -> None:
        """Take the rows."""
        self.rows += sum(len(out.states) for one in self.people.values() for out in one.flush())

    def tick(self, now: int) -> None:
        """Let time pass."""
        for one in self.people.values():
            due = one.due(now)
            if due is not None and due <= now:
                self.told += sum(len(out.transitions) for out in one.tick(now))


def memory() -> int:
    """The process's peak so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(members: int, orders: int) -> None:
    """One size; prints its line."""
    shards, before = Shards(), memory()
    block: list[tuple[Fact, tuple[str, ...]]] = []
    spent = 0.0
    events = 0
    for one in facts(Random(1), members, orders):
        block.append(one)
        events += 1
        if len(block) == BLOCK:
            began = time.process_time()
            shards.feed(block)
            spent += time.process_time() - began
            block = []
    if block:
        shards.feed(block)
    began = time.process_time()
    shards.flush()
    flushed = time.process_time() - began
    held = sum(len(one.members) for one in shards.people.values())
    size = (memory() - before) / held
    told, woken = shards.told, shards.woken
    began = time.process_time()
    now = BEGIN + 365 * DAY_US
    for step in range(1, 400 * 24 + 1):
        shards.tick(now + step * STEP)
    passing = time.process_time() - began
    shards.flush()
    wakes = shards.woken - woken
    print(
        f"{members:>9,} members  {events:>10,} events  {events / spent:>7,.0f} events/s  "
        f"{spent / events * 1e6:>5.1f} us each  {size:>6,.0f} bytes a member  "
        f"rows {shards.rows / 2 / max(flushed, 1e-9):>7,.0f}/s  "
        f"400 idle days {passing:>6.1f} s: {wakes:,} wake-ups of {passing / wakes * 1e6:.1f} us, "
        f"{shards.told - told:,} changes",
        flush=True,
    )


@click.command()
@click.option("--members", "sizes", type=int, multiple=True, default=(10_000, 100_000, 1_000_000))
@click.option("--orders", type=int, default=12, show_default=True, help="A member and year.")
@click.option("--here", is_flag=True, hidden=True)
def main(sizes: tuple[int, ...], orders: int, here: bool) -> None:
    """Measure each size in a process of its own: CPU time, peak memory."""
    for size in sizes:
        if here:
            measure(size, orders)
        else:
            words = ["-m", "bench.members", "--here", "--members", str(size)]
            subprocess.run([sys.executable, *words, "--orders", str(orders)], check=True)


if __name__ == "__main__":
    main()
