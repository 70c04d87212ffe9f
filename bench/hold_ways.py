"""Ways of holding one unit of one hot SKU, each with the same record, expiry and outbox entry.

The gate, and what is written when one is in a hurry: optimistic WATCH/MULTI, a lock in Redis around
read and write, and a row lock in PostgreSQL.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Protocol

import redis

from schemas.position import Position
from sinks.redis.client import HoldGate
from sinks.redis.model import HoldLine
from sinks.redis.settings import GateSettings

SKU, PLACE = "hot", "P1"
STOCK = 1_000_000_000
TTL_S = 600
KEPT_MS = 2 * 86_400_000


def position(sku: str, place: str, on_hand: int, version: int = 1, **more: int) -> Position:
    """A position as the flow would tell it."""
    allocated = more.get("allocated", 0)
    return Position(
        sku=sku,
        place=place,
        pool="bench",
        on_hand=on_hand,
        allocated=allocated,
        quarantined=0,
        in_transit=0,
        held_confirmed_seq=more.get("seq", 0),
        available=on_hand - allocated,
        safety_stock=0,
        days_of_cover=None,
        demand_rate=0.0,
        version=version,
        as_of=datetime.now(UTC),
    )


class Way(Protocol):
    """One way of holding; each thread has its own."""

    def __init__(self, url: str) -> None: ...

    def prepare(self) -> None:
        """Put the stock there, once."""

    def hold(self, name: str) -> bool:
        """Hold one unit, if there is one."""

    def close(self) -> None:
        """Give the connection back."""


class GateWay:
    """The hold gate."""

    LINES = (HoldLine(SKU, 1),)

    def __init__(self, url: str) -> None:
        self.gate = HoldGate(GateSettings(url=url, pool="bench", timeout_seconds=60))

    def prepare(self) -> None:
        """Open the gate and tell it the positions."""
        self.gate.open_gate("bench")
        skus = {line.sku for line in GateThreeLines.LINES}
        self.gate.project([position(sku, PLACE, STOCK) for sku in skus])

    def hold(self, name: str) -> bool:
        """One call."""
        return self.gate.hold(name, self.LINES, ttl_seconds=TTL_S).state == "held"

    def close(self) -> None:
        """Give the connection back."""
        self.gate.close()


class GateThreeLines(GateWay):
    """The hold gate, three SKUs in one hold."""

    LINES = (HoldLine(SKU, 1), HoldLine("warm", 1), HoldLine("cold", 1))  # type: ignore[assignment]


class _RedisWay:
    """What both naive ways keep: a hash of figures, a record, an expiry list, a stream."""

    def __init__(self, url: str) -> None:
        self.client: Any = redis.Redis.from_url(url, socket_timeout=60)

    def prepare(self) -> None:
        """Set the stock."""
        self.client.hset("naive:s", mapping={"on_hand": STOCK, "held": 0})

    def close(self) -> None:
        """Give the connection back."""
        self.client.close()

    def _free(self, client: Any, name: str) -> bool:
        on_hand, held = client.hmget("naive:s", "on_hand", "held")
        return not client.exists(f"naive:r:{name}") and int(on_hand) - int(held) >= 1

    def _queue(self, pipe: Any, name: str) -> None:
        expires = int(time.time() * 1000) + TTL_S * 1000
        pipe.hincrby("naive:s", "held", 1)
        pipe.hset(f"naive:r:{name}", mapping={"state": "held", "quantity": 1, "exp": expires})
        pipe.zadd("naive:due", {name: expires})
        pipe.xadd("naive:log", {"reservation": name, "sku": SKU, "quantity": 1, "state": "held"})


class WatchWay(_RedisWay):
    """WATCH, read, MULTI, EXEC; again when somebody was faster."""

    def hold(self, name: str) -> bool:
        """As many tries as it takes."""
        with self.client.pipeline() as pipe:
            while True:
                try:
                    pipe.watch("naive:s")
                    if not self._free(pipe, name):
                        return False
                    pipe.multi()
                    self._queue(pipe, name)
                    pipe.execute()
                    return True
                except redis.WatchError:
                    continue


class LockWay(_RedisWay):
    """A lock around read and write (SET NX, given back by its token)."""

    def hold(self, name: str) -> bool:
        """Wait for the lock, read, write, give it back."""
        with self.client.lock("naive:lock", timeout=30, sleep=0.001):
            if not self._free(self.client, name):
                return False
            with self.client.pipeline(transaction=False) as pipe:
                self._queue(pipe, name)
                pipe.execute()
            return True


class PostgresWay:
    """SELECT ... FOR UPDATE in a transaction."""

    def __init__(self, url: str) -> None:
        self.connection: Any = import_module("psycopg").connect(url)

    def prepare(self) -> None:
        """Make the tables, set the stock."""
        for statement in (
            "CREATE TABLE stock (sku text PRIMARY KEY, on_hand bigint, held bigint)",
            "CREATE TABLE hold (reservation text PRIMARY KEY, sku text, quantity bigint,"
            " expires_at timestamptz)",
            "CREATE INDEX ON hold (expires_at)",
            "CREATE TABLE outbox (id bigserial PRIMARY KEY, reservation text, sku text,"
            " quantity bigint, state text)",
            f"INSERT INTO stock VALUES ('{SKU}', {STOCK}, 0)",
        ):
            self.connection.execute(statement)
        self.connection.commit()

    def hold(self, name: str) -> bool:
        """One transaction; its statements are prepared by the client."""
        with self.connection.transaction():
            run = self.connection.execute
            ((on_hand, held),) = run(
                "SELECT on_hand, held FROM stock WHERE sku = %s FOR UPDATE", [SKU]
            ).fetchall()
            if on_hand - held < 1:
                return False
            run(
                "INSERT INTO hold VALUES (%s, %s, 1, now() + make_interval(secs => %s))",
                [name, SKU, TTL_S],
            )
            run("UPDATE stock SET held = held + 1 WHERE sku = %s", [SKU])
            run(
                "INSERT INTO outbox (reservation, sku, quantity, state) VALUES (%s, %s, 1, 'held')",
                [name, SKU],
            )
        return True

    def close(self) -> None:
        """Give the connection back."""
        self.connection.close()


WAYS: dict[str, type[Way]] = {
    "gate": GateWay,
    "gate, 3 lines": GateThreeLines,
    "WATCH/MULTI": WatchWay,
    "lock in Redis": LockWay,
    "row lock in PostgreSQL": PostgresWay,
}
