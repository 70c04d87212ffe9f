"""Holds per second over HTTP, and how soon an event is on the log and a position in Redis.

    python -m bench.holds_http               # 3 runs of each row
    python -m bench.holds_http --runs 1 --seconds 1

One unit of one hot SKU a request, with key, rate limit and scope checked, JSON and the outbox entry
written: 32 clients with connections of their own that stay open (asyncio, raw sockets, in a process
of their own) against `tillflow holds serve` with 1 and 2 processes and a Redis of its own with an
append-only file. Beside it, in turn, the same holds without HTTP (`AsyncHoldGate` in one process,
32 tasks). Medians. Clients and servers share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.hold_servers import free_port, redis_server
from bench.holds_latency import Lags, measure_lags
from schemas.instants import to_datetime
from schemas.position import Position
from serving.holds.keys import SCOPES, new_key
from sinks.redis.client import AsyncHoldGate, HoldGate
from sinks.redis.model import HoldLine
from sinks.redis.settings import GateSettings

CLIENTS = 32
SKU, PLACE = "HOT", "S1"
STOCK = 50_000_000
TTL_S = 3600
DIRECT = "gate alone (asyncio)"
ROWS = ("1 process", "2 processes", DIRECT)


@dataclass(frozen=True)
class Rate:
    """Holds a second and how long one took, in ms."""

    per_second: float
    p50: float
    p99: float


def stocked(url: str, pool: str) -> None:
    """An open gate with plenty of one SKU."""
    position = Position(
        sku=SKU,
        place=PLACE,
        pool=pool,
        on_hand=STOCK,
        allocated=0,
        quarantined=0,
        in_transit=0,
        held_confirmed_seq=0,
        available=STOCK,
        safety_stock=0,
        days_of_cover=None,
        demand_rate=0.0,
        version=1,
        as_of=to_datetime(0),
    )
    with HoldGate(GateSettings(url=url, pool=pool)) as gate:
        gate.open_gate("bench")
        gate.project([position])


async def _http_client(port: int, key: str, end: float, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    prefix = uuid.uuid4().hex[:12]
    while (began := time.perf_counter()) < end:
        body = json.dumps(
            {
                "id": f"{prefix}-{len(took)}",
                "lines": [{"sku": SKU, "quantity": 1}],
                "ttl_seconds": TTL_S,
                "order": prefix,
            }
        )
        writer.write(
            f"POST /v1/holds HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 201"):
            msg = f"a hold was refused while there is stock: {head.decode()}"
            raise SystemExit(msg)
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        took.append(time.perf_counter() - began)
    writer.close()


async def _gate_client(gate: AsyncHoldGate, end: float, took: list[float]) -> None:
    prefix = uuid.uuid4().hex[:12]
    while (began := time.perf_counter()) < end:
        await gate.hold(
            f"{prefix}-{len(took)}", [HoldLine(SKU, 1)], ttl_seconds=TTL_S, order=prefix
        )
        took.append(time.perf_counter() - began)


async def _clients(seconds: float, make: Callable[[float, list[float]], Awaitable[None]]) -> Rate:
    took: list[list[float]] = [[] for _ in range(CLIENTS)]
    began = time.perf_counter()
    await asyncio.gather(*(make(began + seconds, mine) for mine in took))
    spent = time.perf_counter() - began
    all_of_them = sorted(one for mine in took for one in mine)
    cuts = statistics.quantiles(all_of_them, n=100)
    return Rate(len(all_of_them) / spent, cuts[49] * 1000, cuts[98] * 1000)


def over_http(port: int, key: str, seconds: float) -> Rate:
    """A run against the API."""
    return asyncio.run(_clients(seconds, lambda end, took: _http_client(port, key, end, took)))


def direct(url: str, pool: str, seconds: float) -> Rate:
    """A run without HTTP."""

    async def run() -> Rate:
        async with AsyncHoldGate(GateSettings(url=url, pool=pool)) as gate:
            return await _clients(seconds, lambda end, took: _gate_client(gate, end, took))

    return asyncio.run(run())


@contextmanager
def api(url: str, pool: str, keys: Path, processes: int) -> Iterator[int]:
    """The port of an API that runs."""
    port = free_port()
    words = f"holds serve --redis {url} --pool {pool} --port {port} --processes {processes}"
    command = [sys.executable, "-c", "from infra.cli import main; main()", *words.split()]
    process = subprocess.Popen([*command, "--keys", str(keys)], stderr=subprocess.DEVNULL)
    try:
        asyncio.run(_answering(port, process))
        yield port
    finally:
        process.terminate()
        process.wait()


async def _answering(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await asyncio.wait_for(reader.read(), 10)
            writer.close()
        except OSError:
            await asyncio.sleep(0.05)
            continue
        if answer.startswith(b"HTTP/1.1 200"):
            return
    msg = "the API did not start"
    raise SystemExit(msg)


def main() -> None:
    """Run all rows in turn and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--events", type=int, default=300, help="for the lags; 0 leaves them out")
    given = parser.parse_args()
    rates: dict[str, list[Rate]] = {row: [] for row in ROWS}
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(1) as meter:
        folder = Path(name)
        key, _ = new_key(folder / "keys.yaml", "bench", list(SCOPES), rate=1e6, burst=1e6)
        for run in range(given.runs):
            for row in ROWS:
                with redis_server(folder / f"redis-{run}-{ROWS.index(row)}") as url:
                    stocked(url, "bench")
                    if row == DIRECT:
                        rate = meter.submit(direct, url, "bench", given.seconds).result()
                    else:
                        processes = int(row.split()[0])
                        with api(url, "bench", folder / "keys.yaml", processes) as port:
                            meter.submit(over_http, port, key, 1.0).result()  # warm
                            rate = meter.submit(over_http, port, key, given.seconds).result()
                    rates[row].append(rate)
                    print(f"run {run + 1}, {row}: {rate.per_second:,.0f} holds/s", flush=True)
        lags: Lags | None = measure_lags(folder, given.events) if given.events else None
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"\n{CLIENTS} clients, one line, one SKU; {os.cpu_count()} cores, load average {load}")
    print("\n| | holds/s | p50 ms | p99 ms |\n|---|---|---|---|")
    for row, found in rates.items():
        figures = (
            statistics.median(getattr(rate, name) for rate in found)
            for name in ("per_second", "p50", "p99")
        )
        per_second, p50, p99 = figures
        print(f"| {row} | {per_second:,.0f} | {p50:.1f} | {p99:.1f} |")
    if lags is not None:
        print(f"\n{lags.words()}")


if __name__ == "__main__":
    main()
