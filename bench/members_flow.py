"""The members flow beside its own plain driver and a floor: whole processes over the same file.

    python -m bench.members_flow [--members 10000 --members 100000] [--orders 12] [--runs 3]

`flow` runs on Bytewax into DuckDB without and with recovery, `plain` the same operators and sink in
a loop, `floor` decodes every line and adds it up in a dict. Costs are of the processor (user and
system), medians of runs in turn.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import click
import msgspec

from bench.members import facts
from bench.processes import Cost, measure, median
from flows.members import FLUSH_BACKFILL
from flows.process import prepare_process
from flows.settings import SHARDS
from operators.engine import system_clock
from operators.journeys.journeying import Rules
from operators.journeys.shards import JourneyMemberShard, JourneyPersonShard
from operators.members.decode import MemberDecoder
from operators.members.facts import UNITED, Fact, MemberBatch, Purchase, Refund
from operators.members.lines import Line, Order
from operators.members.rules import MemberRules
from operators.stock.decode import Sharder
from schemas.chain import Chain
from schemas.instants import format_instant
from schemas.member_events import MERGED_TYPE, REFUND_TYPE
from schemas.shop_events import ORDER_TYPE
from sinks.members.table import MembersTable
from sinks.warehouse.runs import Run
from sources.blocks import BlockReader

FLUSH_US = FLUSH_BACKFILL // timedelta(microseconds=1)


def write_events(path: Path, members: int, orders: int) -> int:
    """The year of bench.members as a file; how many events."""
    count = 0
    with path.open("wb") as file:
        for fact, _ in facts(Random(1), members, orders):
            if isinstance(fact, Purchase):
                data: dict[str, object] = {"store": "s1", "order": str(fact.receipt)}
                data["amount"] = fact.amount
                data |= {"opened_at": format_instant(fact.time), "items": 1, "service_seconds": 0}
                type_ = ORDER_TYPE
            elif isinstance(fact, Refund):
                data = {"store": "s1", "refund": fact.id, "order": str(fact.receipt)}
                data["amount"] = fact.amount
                type_ = REFUND_TYPE
            elif survivor := getattr(fact, "survivor", ""):
                data, type_ = {"survivor": survivor}, MERGED_TYPE
            else:
                continue
            event: dict[str, object] = {"specversion": "1.0", "id": fact.id, "source": fact.source}
            event |= {"type": type_, "time": format_instant(fact.time)}
            event["data"] = data | {"member": fact.member}
            file.write(msgspec.json.encode(event) + b"\n")
            count += 1
    return count


def run_plain(source: str, warehouse: Path) -> None:
    """The flow without an engine: one loop over the same source, operators and sink."""
    prepare_process()
    chain = Chain()
    members = MemberRules(chain)
    rules = Rules(chain, members, ())
    shards: dict[int, JourneyMemberShard | JourneyPersonShard]
    shards = {one: JourneyMemberShard(rules) for one in range(SHARDS)}
    shards[UNITED] = JourneyPersonShard(rules)
    decoder, reader = MemberDecoder(Sharder(SHARDS)), BlockReader(source)
    table = MembersTable(warehouse, Run("plain", "members", source, datetime.now(UTC)))
    flush_at = 0

    def apply(batch: MemberBatch) -> None:
        for out in shards[batch.shard].apply([batch], now):
            table.add(out)
            if out.parts:
                positions = batch.positions[:0]
                positions.extend([0] * len(out.parts))
                parts: list[Fact] = list(out.parts)
                apply(MemberBatch(UNITED, "", positions, parts, out.newest, out.newest_origin))

    def flush() -> None:
        for shard in shards.values():
            for out in shard.flush():
                table.add(out)

    while blocks := reader.next_blocks():
        now = system_clock()
        for block in blocks:
            decoded = decoder.decode(block, now + members.future)
            table.add(decoded.read)
            for batch in decoded.batches:
                apply(batch)
        if now >= flush_at:
            flush_at = now + FLUSH_US
            flush()
        table.write_soon()
    flush()
    table.close("finished")


def run_floor(source: str) -> None:
    """Decode every line and add up what members spent."""
    decoder, reader = msgspec.json.Decoder(Line), BlockReader(source)
    spent: Counter[str] = Counter()
    while (block := reader.next_block()) is not None:
        for event in decoder.decode_lines(block.lines):
            if isinstance(event.data, Order) and event.data.member:
                spent[event.data.member] += event.data.amount


def commands(source: Path, folder: Path) -> dict[str, list[str]]:
    """What is measured, by name; each writes into `folder`."""
    warehouse = str(folder / "warehouse.duckdb")
    cli = "import sys; from infra.cli import main; main(sys.argv[1:])"
    run = [sys.executable, "-c", cli, "run", "members", "--source", str(source)]
    run += ["--warehouse", warehouse]
    mine = [sys.executable, "-m", "bench.members_flow", "--source", str(source)]
    return {
        "floor (decode + dict)": mine,
        "plain driver": [*mine, "--warehouse", warehouse],
        "flow, no recovery": [*run, "--no-recovery"],
        "flow, recovery": run,
    }


def compare(members: int, orders: int, runs: int) -> None:
    """Measure one size and print its table."""
    with tempfile.TemporaryDirectory() as name:
        source, folder = Path(name) / "events.jsonl", Path(name) / "run"
        events = write_events(source, members, orders)
        click.echo(f"{members:,} members, {events:,} events")
        costs: dict[str, list[Cost]] = {}
        for _ in range(runs):
            for what, command in commands(source, folder).items():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                costs.setdefault(what, []).append(measure(command))
        click.echo(f"  {'':24s}{'CPU us each':>12s}{'events/CPU s':>14s}{'peak MB':>9s}")
        for what, found in costs.items():
            cost = median(found)
            each = cost.cpu_s / events * 1e6
            click.echo(f"  {what:24s}{each:>12.1f}{1e6 / each:>14,.0f}{cost.peak_mb:>9,.0f}")


@click.command()
@click.option("--members", "sizes", type=int, multiple=True, default=(10_000, 100_000))
@click.option("--orders", type=int, default=12, show_default=True, help="A member and year.")
@click.option("--runs", type=int, default=3, show_default=True)
@click.option("--source", hidden=True)
@click.option("--warehouse", type=click.Path(path_type=Path), hidden=True)
def main(
    sizes: tuple[int, ...], orders: int, runs: int, source: str | None, warehouse: Path | None
) -> None:
    """Measure each size: the flow, its plain driver and a floor."""
    if source is None:
        for size in sizes:
            compare(size, orders, runs)
    elif warehouse is None:
        run_floor(source)
    else:
        run_plain(source, warehouse)


if __name__ == "__main__":
    main()
