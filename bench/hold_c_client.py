"""The gate's call sent by `redis-benchmark`: what the server does when no Python is in the way."""

from __future__ import annotations

import shutil
import subprocess

from bench.hold_ways import SKU, TTL_S, GateWay
from sinks.redis import hold_calls
from sinks.redis.model import ANYWHERE, HoldLine

CONNECTIONS, CALLS = 50, 40_000
# What redis-benchmark replaces by a number, a new one at each place.
ANY = "__rand_int__"


def hold_command(way: GateWay) -> list[str]:
    """The very command that a hold of one unit sends, with a random id."""
    way.gate.available([SKU])  # learns the places, loads the scripts
    steps = hold_calls.hold(
        way.gate.protocol,
        ANY,
        [HoldLine(SKU, 1)],
        ttl_seconds=TTL_S,
        policy=ANYWHERE,
        order=None,
        channel=None,
        customer=None,
        replaces=None,
    )
    (command,) = next(steps)
    steps.close()
    return [word.decode() if isinstance(word, bytes) else str(word) for word in command]


def c_client(url: str) -> tuple[float, float, float] | None:
    """Holds a second, p50 and p99 in ms; None where redis-benchmark is not installed."""
    tool = shutil.which("redis-benchmark")
    if tool is None:
        return None
    way = GateWay(url)
    try:
        command = hold_command(way)
        before = way.gate.available([SKU])[SKU][0].held
        port = url.rsplit(":", 1)[1].split("/", maxsplit=1)[0]
        options = ["-p", port, "-c", str(CONNECTIONS), "-n", str(CALLS), "-r", "1000000000"]
        ran = subprocess.run(
            [tool, *options, "--csv", *command], capture_output=True, text=True, check=True
        )
        held = way.gate.available([SKU])[SKU][0].held - before
    finally:
        way.close()
    # Two of a billion ids may be the same one; then the second call takes nothing.
    if held < 0.99 * CALLS:
        msg = f"redis-benchmark made {CALLS} calls, but only {held} units were held: {ran.stdout}"
        raise SystemExit(msg)
    # The name of the test has commas of its own: rps, avg, min, p50, p95, p99, max come last.
    figures = [float(word.strip('"')) for word in ran.stdout.strip().split(",")[-7:]]
    return figures[0], figures[3], figures[5]
