"""Holds: a drill that counts units, and holds per second beside naive ways, in one run.

    python -m bench.holds               # 200,000 calls from 32 clients, then 5 runs of each way
    python -m bench.holds --calls 20000 --runs 1 --seconds 1

Every way holds one unit of one hot SKU with a record, an expiry and an outbox entry, from 16
clients in 2 processes against a server of its own with an append-only file (PostgreSQL: its log;
"lazy": a commit does not wait for the disk, as in Redis), in turn (A B C A B C ...), medians.
Clients and servers share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import threading
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import redis

from bench.hold_c_client import c_client
from bench.hold_drill import drill
from bench.hold_servers import postgres_server, redis_server, why_no_postgres
from bench.hold_ways import SKU, TTL_S, WAYS
from sinks.redis.client import AsyncHoldGate
from sinks.redis.model import HoldLine
from sinks.redis.settings import GateSettings

PROCESSES, CLIENTS_EACH = 2, 8
ASYNC = "gate, asyncio"
ALONE = "gate, 1 client"
C_CLIENT = "gate, redis-benchmark"
POSTGRES_LAZY = "row lock in PostgreSQL, lazy"


@dataclass(frozen=True)
class Rate:
    """Holds a second and how long one took, in ms."""

    per_second: float
    p50: float
    p99: float


def _threads(way: str, url: str, clients: int, seconds: float) -> tuple[int, list[float]]:
    took: list[list[float]] = [[] for _ in range(clients)]
    start = threading.Barrier(clients)

    def work(mine: list[float]) -> None:
        client = WAYS[way](url)
        prefix = uuid.uuid4().hex[:12]
        start.wait()
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            if not client.hold(f"{prefix}-{len(mine)}"):
                msg = f"{way}: a hold was refused while there is stock"
                raise SystemExit(msg)
            mine.append(time.perf_counter() - began)
        client.close()

    threads = [threading.Thread(target=work, args=(mine,)) for mine in took]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(len(mine) for mine in took), [one for mine in took for one in mine]


def _tasks(url: str, clients: int, seconds: float) -> tuple[int, list[float]]:
    took: list[float] = []

    async def work(gate: AsyncHoldGate, end: float) -> None:
        prefix, number = uuid.uuid4().hex[:12], 0
        while (began := time.perf_counter()) < end:
            number += 1
            await gate.hold(f"{prefix}-{number}", [HoldLine(SKU, 1)], ttl_seconds=TTL_S)
            took.append(time.perf_counter() - began)

    async def run() -> None:
        settings = GateSettings(url=url, pool="bench", timeout_seconds=60)
        async with AsyncHoldGate(settings) as gate:
            end = time.perf_counter() + seconds
            await asyncio.gather(*(work(gate, end) for _ in range(clients)))

    asyncio.run(run())
    return len(took), took


def _worker(way: str, url: str, clients: int, seconds: float, answer: Queue[Any]) -> None:
    answer.put(
        _tasks(url, clients, seconds) if way == ASYNC else _threads(way, url, clients, seconds)
    )


def measure(way: str, url: str, seconds: float) -> Rate:
    """Holds a second of one way, over all its clients."""
    processes, clients = (1, 1) if way == ALONE else (PROCESSES, CLIENTS_EACH)
    name = {ALONE: "gate", POSTGRES_LAZY: "row lock in PostgreSQL"}.get(way, way)
    context = get_context("spawn")
    answer: Queue[Any] = context.Queue()
    workers = [
        context.Process(target=_worker, args=(name, url, clients, seconds, answer))
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    found = [answer.get(timeout=seconds + 120) for _ in workers]
    for worker in workers:
        worker.join()
    times = sorted(one for _, took in found for one in took)
    per_second = sum(count for count, _ in found) / seconds
    return Rate(
        per_second, 1000 * times[len(times) // 2], 1000 * times[int(0.99 * (len(times) - 1))]
    )


def server_cost(url: str) -> float:
    """Microseconds of the server's own time that one call of the gate took, on average."""
    with redis.Redis.from_url(url) as client:
        stats: Any = client.info("commandstats")
    call = stats.get("cmdstat_fcall") or stats["cmdstat_evalsha"]
    return float(call["usec_per_call"])


def compare(folder: Path, runs: int, seconds: float) -> None:
    """Measure every way that this machine has the parts for, and print the medians."""
    with ExitStack() as stack:
        urls: dict[str, str] = {}
        for way in ("gate", ASYNC, ALONE, "gate, 3 lines", "WATCH/MULTI", "lock in Redis"):
            urls[way] = stack.enter_context(redis_server(folder / f"redis {len(urls)}"))
        missing = why_no_postgres()
        if missing:
            print(f"\nno comparison with PostgreSQL: {missing}")
        else:
            urls["row lock in PostgreSQL"] = stack.enter_context(postgres_server(folder / "pg"))
            lazy = postgres_server(folder / "pg lazy", "synchronous_commit=off")
            urls[POSTGRES_LAZY] = stack.enter_context(lazy)
        for way, url in urls.items():
            first = WAYS.get(way) or WAYS["gate" if "gate" in way else "row lock in PostgreSQL"]
            client = first(url)
            client.prepare()
            client.close()
        rates: dict[str, list[Rate]] = {way: [] for way in (*urls, C_CLIENT)}
        for number in range(runs):
            for way, url in urls.items():
                rates[way].append(measure(way, url, seconds))
                told = f"  run {number + 1}/{runs}  {way:30s}{rates[way][-1].per_second:>10,.0f}/s"
                print(told, file=sys.stderr)
            found = c_client(urls[ALONE])
            if found is not None:
                rates[C_CLIENT].append(Rate(*found))
        cost = server_cost(urls["gate"])
    gate = statistics.median(rate.per_second for rate in rates["gate"])
    print(f"\none unit of one hot SKU, medians of {runs} runs of {seconds:g} s")
    print(f"{'':30s}{'holds/s':>10s}{'p50 ms':>9s}{'p99 ms':>9s}{'gate is':>10s}")
    for way, each in rates.items():
        if not each:
            print("redis-benchmark is not installed: no row without Python in the way")
            continue
        per_second = statistics.median(rate.per_second for rate in each)
        p50 = statistics.median(rate.p50 for rate in each)
        p99 = statistics.median(rate.p99 for rate in each)
        print(f"{way:30s}{per_second:>10,.0f}{p50:>9.2f}{p99:>9.2f}{gate / per_second:>9.1f}x")
    print(f"the server itself took {cost:.0f} us a one-line hold: {1e6 / cost:,.0f}/s on one core")


def main() -> None:
    """Read the command line and run both parts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--stock", type=int, default=9_000, help="units of each of 4 pairs")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        if given.calls:
            with redis_server(folder / "drill") as url:
                done = drill(url, given.calls, given.clients, given.stock)
            told = ", ".join(f"{count:,} {state}" for state, count in sorted(done.told.items()))
            print(
                f"{done.calls:,} calls from {given.clients} clients in {done.seconds:.0f} s "
                f"({done.calls / done.seconds:,.0f}/s), {done.refused:,} refused; "
                f"lines told: {told}"
            )
            print(
                f"{4 * given.stock:,} units, {done.sold:,} sold; oversold = {done.oversold} "
                f"(also in {done.samples:,} samples on the way), lost = {done.lost}"
            )
            if done.oversold or done.lost:
                sys.exit(1)
        if given.runs:
            compare(folder, given.runs, given.seconds)


if __name__ == "__main__":
    main()
