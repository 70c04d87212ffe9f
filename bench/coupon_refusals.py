"""What telling of refusals costs a coupon desk, and what a caller can fill with them.

    python -m bench.coupon_refusals [--calls 20000]

One client without HTTP at a Redis of its own, nobody relays. `not told` is the same refusal without
the telling. Milliseconds by the clock; CPU of the server and memory as it says itself.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from bench.hold_servers import redis_server
from schemas.coupons import Basket, BasketLine
from schemas.coupons_file import read_coupons
from sinks.coupons import rejecting
from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import Refused, UnknownCoupon
from sinks.coupons.settings import DeskSettings
from sinks.redis.scripted import Steps

BOOK = """\
version: 1
coupons:
  - {id: c, name: {zh: 满280减50, en: 50 off 280}, kind: amount_off, threshold: 28000, amount: 5000,
     valid: {days: 30}, budget: {issued: 1000000}, per_member: 10000}
"""
COUPONS = 1_000
LITTLE = Basket(store="S001", lines=(BasketLine(sku="A", amount=100),))
ENOUGH = Basket(store="S001", lines=(BasketLine(sku="A", amount=29_000),))


def untold(*_: object) -> Steps[None]:
    """Instead of the telling: nothing."""
    yield from ()


def ask(desk: CouponDesk, coupon: str, order: str, basket: Basket) -> None:
    """A redemption, refused or not."""
    try:
        desk.run(desk.redeeming(coupon, call=order, order=order, basket=basket))
    except (Refused, UnknownCoupon):
        return


def measure(desk: CouponDesk, name: str, calls: Iterator[tuple[str, str, Basket]]) -> None:
    """Print what these calls took, and what is left of them."""
    before, cpu = figures(desk)
    took = []
    for coupon, order, basket in calls:
        begun = time.perf_counter()
        ask(desk, coupon, order, basket)
        took.append(1000 * (time.perf_counter() - begun))
    after, cpu_then = figures(desk)
    took.sort()
    print(
        f"| {name} | {statistics.median(took):.2f} | {took[int(0.99 * len(took))]:.2f} "
        f"| {1e6 * (cpu_then - cpu) / len(took):.0f} | {(after - before) / 1e6:+.2f} "
        f"| {desk.client.xlen(desk.protocol.keys.log):,} |"
    )


def figures(desk: CouponDesk) -> tuple[float, float]:
    """Bytes and CPU seconds of the server."""
    info: Any = desk.client.info()
    return info["used_memory"], info["used_cpu_user"] + info["used_cpu_sys"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=20_000)
    calls = parser.parse_args().calls
    with (
        tempfile.TemporaryDirectory() as folder,
        redis_server(Path(folder) / "redis") as url,
        CouponDesk(DeskSettings(url=url, desk="bench")) as desk,
    ):
        desk.publish(read_coupons(BOOK), first="one")
        for number in range(3 * COUPONS):
            desk.run(desk.issuing(f"k{number}", "c", f"m{number}"))
        desk.trim(desk.outbox(count=10**6)[-1].id)
        print("| | p50 ms | p99 ms | CPU of the server, us | memory, MB | in the outbox |")
        print("|---|---|---|---|---|---|")
        some = range(COUPONS)
        with mock.patch.object(rejecting, "tell", untold):
            measure(desk, "not told", ((f"k{n}", f"a{n}", LITTLE) for n in some))
        measure(desk, "told", ((f"k{n}", f"b{n}", LITTLE) for n in some))
        measure(desk, "known already", ((f"k{n}", f"b{n}", LITTLE) for n in some))
        flood = ((f"x{n}", f"o{n}", ENOUGH) for n in range(calls))
        measure(desk, f"{calls:,} unknown ids", flood)
        flood = ((f"k{n % COUPONS}", f"o{n}", LITTLE) for n in range(calls))
        measure(desk, f"{calls:,} orders, {COUPONS:,} coupons", flood)
        measure(desk, "redemptions after that", ((f"k{n}", f"z{n}", ENOUGH) for n in some))


if __name__ == "__main__":
    main()
