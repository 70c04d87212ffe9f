"""A log, a gate and a warehouse that agree, and ways to spoil each of them."""

from __future__ import annotations

import time
import uuid
from typing import Any

from gate_support import position
from msgspec.structs import replace
from redis_server import RedisServer

from infra.pool_truth import PoolTruth
from operators.stock.drift import TruthLog
from operators.stock.drift_alerts import DriftDesk
from schemas.instants import SECOND_US
from schemas.position import Position
from serving.drift import GateViews, WarehouseView
from sinks.redis.client import HoldGate
from sinks.redis.settings import GateSettings
from sources.positions import TimedPosition

PAIR = ("tea", "P1")
LAG = SECOND_US // 2


class Scene:
    """A log, a gate and a warehouse that agree, and the checker that looks at them."""

    def __init__(self, server: RedisServer, rows: WarehouseView) -> None:
        for table in ("stock_position", "stock_alert"):
            rows._warehouse.write(f"DELETE FROM {table}")  # type: ignore[union-attr]
        self.pool = f"pool-{uuid.uuid4().hex[:8]}"
        self.gate = HoldGate(GateSettings(url=server.url, pool=self.pool, timeout_seconds=20))
        self.gate.open_gate("one")
        self.views = GateViews(server.url, timeout_seconds=20)
        self.rows = rows
        self.news: list[TimedPosition] = []
        self.alerts: list[tuple[Any, ...]] = []
        self.now: int | None = None
        log = TruthLog(LAG)
        self.truth = PoolTruth(
            log, self.feed, DriftDesk(LAG), self.views, self.rows, tell=self.tell, clock=self.clock
        )

    def clock(self) -> int:
        return time.time_ns() // 1000 if self.now is None else self.now

    def feed(self) -> list[TimedPosition]:
        news, self.news = self.news, []
        return news

    def tell(self, rows: list[tuple[Any, ...]]) -> None:
        self.alerts += rows
        self.rows.tell(rows)

    def made(self, *positions: Position) -> list[Position]:
        return [replace(one, pool=self.pool) for one in positions]

    def everywhere(self, *positions: Position, ago: int = 10 * LAG) -> None:
        mine = self.made(*positions)
        self.news += [TimedPosition(one, self.clock() - ago) for one in mine]
        self.gate.project(mine)
        for one in mine:
            self.rows.repair(one, None)

    def found(self) -> list[tuple[str, str]]:
        return [(one.view, one.kind) for each in self.truth.check() for one in each.drift]

    def states(self) -> list[str]:
        return [row[2] for row in self.alerts]

    def close(self) -> None:
        self.gate.close()
        self.views.__exit__(None, None, None)


def spoil_held(scene: Scene) -> None:
    scene.gate.client.hincrby(scene.gate.protocol.keys.pair(*PAIR)[0], "held", 3)


def spoil_held_with_no_number(scene: Scene) -> None:
    scene.gate.client.hset(scene.gate.protocol.keys.pair(*PAIR)[0], "held", "many")


def spoil_absorbed(scene: Scene) -> None:
    """A newer position was lost on its way to Redis, long ago."""
    scene.everywhere()
    newer = scene.made(position("tea", "P1", 10, 6, allocated=2, seq=1))
    scene.news.append(TimedPosition(newer[0], scene.clock() - 10 * LAG))
    scene.rows.repair(newer[0], None)


def spoil_on_hand(scene: Scene) -> None:
    scene.gate.client.hincrby(scene.gate.protocol.keys.pair(*PAIR)[0], "on_hand", 7)


def spoil_newer(scene: Scene) -> None:
    """A truth of a version that the log never told: no projection would ever mend it."""
    scene.gate.project(scene.made(position("tea", "P1", 99, 50)))


def spoil_forgotten(scene: Scene) -> None:
    scene.gate.client.delete(scene.gate.protocol.keys.pair(*PAIR)[0])


def spoil_places(scene: Scene) -> None:
    scene.gate.client.delete(scene.gate.protocol.keys.places("tea"))


def spoil_row(scene: Scene) -> None:
    scene.rows._warehouse.write("UPDATE stock_position SET on_hand = 8 WHERE sku = 'tea'")  # type: ignore[union-attr]


def spoil_row_stale(scene: Scene) -> None:
    scene.rows._warehouse.write("UPDATE stock_position SET version = 4 WHERE sku = 'tea'")  # type: ignore[union-attr]


def spoil_row_newer(scene: Scene) -> None:
    scene.rows._warehouse.write("UPDATE stock_position SET version = 77 WHERE sku = 'tea'")  # type: ignore[union-attr]


def spoil_row_gone(scene: Scene) -> None:
    scene.rows._warehouse.write("DELETE FROM stock_position WHERE sku = 'tea'")  # type: ignore[union-attr]


def spoil_rate(scene: Scene) -> None:
    scene.rows._warehouse.write("UPDATE stock_position SET demand_rate = 8 WHERE sku = 'tea'")  # type: ignore[union-attr]


SPOILT = (
    (spoil_held, {("redis", "held")}),
    (spoil_held_with_no_number, {("redis", "held")}),
    (spoil_absorbed, {("redis", "behind")}),
    (spoil_on_hand, {("redis", "figures")}),
    (spoil_newer, {("redis", "ahead")}),
    (spoil_forgotten, {("redis", "missing"), ("redis", "held")}),
    (spoil_places, {("redis", "unlisted")}),
    (spoil_row, {("duckdb", "figures")}),
    (spoil_row_stale, {("duckdb", "behind")}),
    (spoil_row_newer, {("duckdb", "ahead")}),
    (spoil_row_gone, {("duckdb", "missing")}),
    (spoil_rate, {("duckdb", "derived")}),
)
