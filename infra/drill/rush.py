"""Customers who fight for the last units, as a process of its own whose clock may be wrong.

    python -m infra.drill.rush CONFIG.json LOG.jsonl

Every answer is a line of the log. Who gets no answer asks again with the same id until there is
one. The process ends when its standard input does.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from infra.live_doors import OPEN, ApiDoor, GateDoor, HoldDoor, Told

TTL_SECONDS = 3.0
PAUSE_SECONDS = 0.01
AGAIN_SECONDS = 0.2
PAYS, GIVES_BACK = 0.6, 0.8


class Rush(msgspec.Struct, frozen=True, kw_only=True):
    """Who the customers of one process are; `skew_seconds` is by how much their clock is wrong."""

    name: str
    skus: tuple[str, ...]
    seed: int
    skew_seconds: float = 0.0
    api: str = ""
    key: str = ""
    redis: str = ""
    pool: str = ""


def main(rush: Rush, log: Path) -> None:
    """Buy until standard input ends."""
    _set_clock(rush.skew_seconds)
    stop = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    door: HoldDoor = ApiDoor(rush.api, rush.key) if rush.api else GateDoor(rush.redis, rush.pool)
    rng = Random(rush.seed)  # noqa: S311 (customers, no secrets)
    with log.open("w", buffering=1) as out:

        def note(name: str, did: str, told: Told) -> None:
            found: dict[str, Any] = {"at": time.monotonic(), "clock": time.time(), "id": name}
            found |= {"did": did, "state": told.state, "units": told.units, "why": told.why}
            out.write(json.dumps(found) + "\n")

        number = 0
        while not stop.is_set():
            number += 1
            name = f"{rush.name}.{number}"
            _customer(door, name, rng, rush.skus, note)
            time.sleep(PAUSE_SECONDS)
    door.close()


def _customer(door: HoldDoor, name: str, rng: Random, skus: tuple[str, ...], note: Any) -> None:
    sku, units = rng.choice(skus), rng.randint(1, 3)
    does = rng.random()
    held = door.hold(name, sku, units, None, TTL_SECONDS, name)
    note(name, "hold", held)
    if held.state != "held":
        time.sleep(AGAIN_SECONDS if held.state == OPEN else 0)
        return
    if does < PAYS:
        while True:
            paid = door.confirm(name)
            note(name, "confirm", paid)
            if paid.state != OPEN:
                break
            time.sleep(AGAIN_SECONDS)
    elif does < GIVES_BACK:
        note(name, "release", door.release(name))


def _set_clock(skew: float) -> None:
    """Let this process believe another time, as a till with a wrong clock would."""
    if not skew:
        return
    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + skew
    time.time_ns = lambda: right_ns() + int(skew * 1e9)


if __name__ == "__main__":
    main(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Rush), Path(sys.argv[2]))
