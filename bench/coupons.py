"""Offers per basket and redemptions per second, with the budgets held.

    python -m bench.coupons                    # 3 runs of each row
    python -m bench.coupons --runs 1 --seconds 1 --budget 500

Offers: members with 8 coupons each of 8 campaigns, a basket of 5 lines; over HTTP against
`tillflow holds serve` (key, scope, rate limit and JSON both ways): 100 a second from 8 tills,
counted from when each was to be sent; clients that never pause; and without HTTP. The bar is 50 ms
at the 99th percentile.

Redemptions: 4 processes race for one campaign with twice as many coupons as its budget takes, in a
Redis of its own with an append-only file for each row; beside the desk, on the same data, what is
written when one is in a hurry: WATCH/MULTI, and reading the counter before writing. Every row says
how many were redeemed: more than the budget is money given away.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import redis

from bench.hold_servers import free_port, redis_server
from schemas.coupons import Basket, BasketLine, CouponBook
from schemas.coupons_file import read_coupons
from serving.holds.keys import SCOPES, new_key
from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import Refused
from sinks.coupons.settings import DeskSettings

BAR_MS = 50.0
CAMPAIGNS, MEMBERS, TILLS = 8, 200, 4
BASKET = Basket(
    store="S001",
    lines=tuple(
        BasketLine(sku=f"SKU-{number}", amount=5_100, category="tea" if number % 2 else None)
        for number in range(5)
    ),
)
NONE_LEFT = 20_000


def book(budget: int) -> CouponBook:
    """Campaigns of the three kinds, some reached by the basket and some nearly."""
    kinds = (
        "kind: amount_off, threshold: {t}, amount: 1000",
        "kind: percent_off, threshold: {t}, percent: 10, most: 3000, only: {{categories: [tea]}}",
        "kind: gift, threshold: {t}, gift: {{sku: CUP, value: 900}}, stacking: together",
    )
    rows = []
    for number in range(CAMPAIGNS):
        kind = kinds[number % 3].format(t=9_000 + 5_000 * (number % 5))
        name = f"name: {{zh: 券{number}, en: coupon {number}}}, valid: {{days: 30}}"
        caps = f"budget: {{redeemed: {budget}}}, per_member: 10000"
        rows.append(f"  - {{id: c{number}, {name}, {caps}, {kind}}}")
    return read_coupons("version: 1\ncoupons:\n" + "\n".join(rows))


def opened(url: str, budget: int) -> CouponDesk:
    """A desk with the campaigns."""
    desk = CouponDesk(DeskSettings(url=url, desk="bench", timeout_seconds=20))
    desk.publish(book(budget), first="bench")
    return desk


@contextmanager
def served(folder: Path, url: str) -> Iterator[tuple[str, str, int]]:
    """The API as a process: its address, a key, and its number."""
    keys, port = folder / "keys.yaml", free_port()
    key, _ = new_key(keys, "bench", list(SCOPES), rate=1e6, burst=1e6)
    command = [sys.executable, "-c", "from infra.cli import main; main()", "holds", "serve"]
    command += ["--redis", url, "--pool", "bench", "--keys", str(keys), "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    address = f"127.0.0.1:{port}"
    try:
        while True:
            try:
                HTTPConnection(address, timeout=5).request("GET", "/openapi.json")
                break
            except OSError:
                time.sleep(0.05)
        yield address, key, process.pid
    finally:
        process.terminate()
        process.wait()


def cpu_ms(pid: int) -> float:
    """What a process has used of the processor so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def offers_over_http(
    address: str, key: str, clients: int, seconds: float, rate: int = 0
) -> list[float]:
    """How long each request took, in ms; at a `rate` a second from when it was to be sent."""
    took: list[float] = []
    lines = [{"sku": each.sku, "amount": each.amount} for each in BASKET.lines]
    start = time.perf_counter()
    end = start + seconds

    def ask(first: int) -> None:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        client = HTTPConnection(address)
        number = first
        while (began := time.perf_counter()) < end:
            basket = {"store": "S001", "lines": lines}
            body = json.dumps({"member": f"m{number % MEMBERS}", "basket": basket})
            if rate:
                began = start + number / rate
                time.sleep(max(0.0, began - time.perf_counter()))
            client.request("POST", "/v1/offers", body, headers)
            answer = client.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
            took.append((time.perf_counter() - began) * 1000)
            number += clients
        client.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def offers_direct(desk: CouponDesk, seconds: float) -> list[float]:
    """How long each took without HTTP, in ms."""
    took: list[float] = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        desk.run(desk.offering(f"m{len(took) % MEMBERS}", BASKET))
        took.append((time.perf_counter() - began) * 1000)
    return took


def by_desk(url: str, till: int, names: Sequence[str], budget: int) -> int:
    """Redeem whatever the desk lets; how many that were."""
    del budget  # the desk knows it
    won = 0
    with CouponDesk(DeskSettings(url=url, desk="bench", timeout_seconds=20)) as desk:
        for name in names:
            asked = desk.redeeming(name, call="d", order=f"{till}-{name}", basket=BASKET)
            try:
                desk.run(asked)
            except Refused:
                continue
            won += 1
    return won


def by_watch(url: str, till: int, names: Sequence[str], budget: int) -> int:
    """WATCH the coupon and the counter, MULTI, EXEC; again when somebody was faster."""
    won = 0
    with redis.Redis.from_url(url) as client:
        for name in names:
            for _ in range(NONE_LEFT):
                with client.pipeline(transaction=True) as pipe:
                    try:
                        pipe.watch(f"w:{name}", "w:used")
                        state: Any = pipe.get(f"w:{name}")
                        used: Any = pipe.get("w:used")
                        if state != b"issued" or int(used or 0) >= budget:
                            break
                        _take(pipe, till, name)
                        won += 1
                        break
                    except redis.WatchError:
                        continue
    return won


def by_reading(url: str, till: int, names: Sequence[str], budget: int) -> int:
    """Read the counter, then write: what races lose money with."""
    won = 0
    with redis.Redis.from_url(url) as client:
        for name in names:
            state: Any = client.get(f"w:{name}")
            used: Any = client.get("w:used")
            if state == b"issued" and int(used or 0) < budget:
                with client.pipeline(transaction=True) as pipe:
                    _take(pipe, till, name)
                won += 1
    return won


def _take(pipe: Any, till: int, name: str) -> None:
    pipe.multi()
    pipe.set(f"w:{name}", "redeemed")
    pipe.incr("w:used")
    pipe.incrby("w:money", 1000)
    told = {"what": "redeemed", "coupon": name, "order": f"{till}-{name}", "amount": 1000}
    pipe.xadd("w:log", {"data": json.dumps(told)})
    pipe.execute()


WAYS: dict[str, Callable[[str, int, Sequence[str], int], int]] = {
    "coupon desk": by_desk,
    "WATCH/MULTI": by_watch,
    "read, then write": by_reading,
}


def race(folder: Path, way: str, budget: int) -> tuple[float, int]:
    """Redemptions a second until the budget is used up, and how many there were."""
    names = [[f"k{till}-{number}" for number in range(budget // 2)] for till in range(TILLS)]
    with redis_server(folder) as url:
        if way == "coupon desk":
            with opened(url, budget) as desk:
                for name in (name for some in names for name in some):
                    desk.run(desk.issuing(name, "c0", "m"))
        else:
            with redis.Redis.from_url(url) as client:
                client.mset({f"w:{name}": "issued" for some in names for name in some})
        with ProcessPoolExecutor(TILLS, mp_context=get_context("spawn")) as pool:
            list(pool.map(abs, range(TILLS)))  # started before the clock is
            began = time.perf_counter()
            work = zip(range(TILLS), names, strict=True)
            won = [pool.submit(WAYS[way], url, till, some, budget) for till, some in work]
            total = sum(each.result() for each in won)
            return total / (time.perf_counter() - began), total


def told(name: str, took: list[float], seconds: float) -> str:
    """One row of offers."""
    cuts = statistics.quantiles(took, n=100)
    held = "held" if cuts[98] < BAR_MS else "MISSED"
    return (
        f"| {name} | {len(took) / seconds:,.0f} | {cuts[49]:.1f} | {cuts[98]:.1f} "
        f"| {BAR_MS:.0f} ms {held} |"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--budget", type=int, default=4000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        with redis_server(base / "offers") as url, opened(url, 10**6) as desk:
            for member in range(MEMBERS):
                for campaign in range(CAMPAIGNS):
                    name = f"m{member}-c{campaign}"
                    desk.run(desk.issuing(name, f"c{campaign}", f"m{member}"))
            costs: list[str] = []
            print("| offers | /s | p50 ms | p99 ms | |\n|---|---|---|---|---|")
            with served(base, url) as (address, key, pid):
                offers_over_http(address, key, 8, 1.0)  # connections, scripts, first imports
                for name, clients, rate in (
                    ("HTTP, 8 tills, 100 a second in all", 8, 100),
                    ("HTTP, 1 client without a pause", 1, 0),
                    ("HTTP, 4 clients without a pause", 4, 0),
                ):
                    before = cpu_ms(pid)
                    took = [
                        one
                        for _ in range(given.runs)
                        for one in offers_over_http(address, key, clients, given.seconds, rate)
                    ]
                    print(told(name, took, given.runs * given.seconds))
                    costs.append(f"{(cpu_ms(pid) - before) / len(took):.2f}")
            took = offers_direct(desk, given.runs * given.seconds)
            print(told("desk alone, 1 client", took, given.runs * given.seconds))
        print(f"\nCPU of the API a request, ms: {', '.join(costs)}")
        print("\n| redemptions | /s | redeemed | of a budget of |\n|---|---|---|---|")
        rates: dict[str, list[tuple[float, int]]] = {way: [] for way in WAYS}
        for run in range(given.runs):
            for number, way in enumerate(WAYS):
                rates[way].append(race(base / f"race-{run}-{number}", way, given.budget))
        for way, found in rates.items():
            middle = statistics.median(each for each, _ in found)
            most = max(count for _, count in found)
            print(f"| {way} | {middle:,.0f} | {most:,} | {given.budget:,} |")
    print(f"\nload average at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
