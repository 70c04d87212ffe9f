"""Compares log, Redis and warehouse: once over all pairs, or for ever, some pairs a second."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from operators.stock.drift import Difference, Pair, TruthLog, compare
from operators.stock.drift_alerts import AlertRow, DriftDesk
from schemas.gate_pair import GatePair
from schemas.instants import SECOND_US
from schemas.position import Position
from serving.drift import GateViews, WarehouseView
from sinks.redis.audit import KEYS_A_SCAN
from sinks.redis.errors import GateUnavailable
from sources.positions import TimedPosition

LOG = logging.getLogger("tillflow.drift")

PAIRS_A_ROUND = 2_000
# How soon a pair that differs is looked at again.
AGAIN_SECONDS = 1.0

Feed = Callable[[], Iterable[TimedPosition]]
Tell = Callable[[list[AlertRow]], None]


def wall_clock() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class Found(NamedTuple):
    """The drift of one pair, and the views as they were read."""

    pair: Pair
    drift: list[Difference]
    gate: GatePair | None
    row: Position | None


@dataclass
class PoolTruth:
    """The views of a chain: the log, and Redis and the warehouse where they are given.

    `feed` gives what is new on the log; `derived`: whether it has the newest rates and levels too.
    """

    log: TruthLog
    feed: Feed
    desk: DriftDesk
    gates: GateViews | None = None
    rows: WarehouseView | None = None
    derived: bool = True
    tell: Tell = lambda _: None
    clock: Callable[[], int] = wall_clock
    closed: dict[str, str] = field(default_factory=dict)

    def read_log(self) -> list[Pair]:
        """Take in what is new on the log; the pairs that it had not told before."""
        return [
            (one.position.sku, one.position.place)
            for one in self.feed()
            if self.log.tell(one.position, one.at)
        ]

    def look(self, pairs: list[Pair], pools: dict[Pair, str] | None = None) -> list[Found]:
        """Compare pairs and tell what is to be told; those with drift.

        The log is read after the views: what they have, it has. `pools` says which gate has a pair
        that the log does not know.
        """
        gates = self._gates(pairs, pools or {})
        rows = {} if self.rows is None else self.rows.read(pairs)
        self.read_log()
        now = self.clock()
        found: list[Found] = []
        alerts: list[AlertRow] = []
        for pair in pairs:
            gate, row = gates.get(pair), rows.get(pair)
            differences = compare(
                self.log,
                pair,
                now,
                gate=gate,
                row=row,
                with_gate=gate is not None,
                with_row=self.rows is not None,
                derived=self.derived,
            )
            drift, told = self.desk.judge(pair, differences, now)
            alerts += told
            if drift:
                found.append(Found(pair, drift, gate, row))
        if alerts:
            self.tell(alerts)
        return found

    def _gates(self, pairs: list[Pair], pools: dict[Pair, str]) -> dict[Pair, GatePair]:
        if self.gates is None:
            return {}
        by_pool: dict[str, list[Pair]] = {}
        for pair in pairs:
            position = self.log.position(pair)
            pool = pools.get(pair) if position is None else position.pool
            if pool:
                by_pool.setdefault(pool, []).append(pair)
        found: dict[Pair, GatePair] = {}
        for pool, some in by_pool.items():
            state = self.gates.state(pool)
            if state == "open":
                self.closed.pop(pool, None)
                found |= self.gates.read(pool, some)
            elif self.closed.get(pool) != state:
                self.closed[pool] = state
                LOG.warning("the gate of pool %s is %s: it is not compared", pool, state)
        return found

    def unknown(self) -> Iterator[dict[Pair, str]]:
        """Pairs that a view has and the log has not, with the pool of their gate, page by page."""
        if self.gates is not None:
            pools = {
                position.pool for position in map(self.log.position, self.log.pairs()) if position
            }
            for pool in sorted(pools):
                cursor = 0
                while True:
                    cursor, some = self.gates.audit(pool).walk(cursor)
                    yield {pair: pool for pair in some if self.log.position(pair) is None}
                    if cursor == 0:
                        break
        if self.rows is not None:
            after: Pair = ("", "")
            while page := self.rows.walk(after):
                after = page[-1]
                yield {pair: "" for pair in page if self.log.position(pair) is None}

    def check(self, pairs: list[Pair] | None = None) -> list[Found]:
        """Compare all pairs once, and those that differ again until lag cannot explain it."""
        others: dict[Pair, str] = {}
        for page in () if pairs else self.unknown():
            others = page | others
        wanted = pairs or [*self.log.pairs(), *others, *self.desk.suspects()]
        found: dict[Pair, Found] = {}
        for some in _batches(list(dict.fromkeys(wanted))):
            found |= {one.pair: one for one in self.look(some, others)}
        give_up = self.clock() + self.log.lag + SECOND_US
        while (again := self.desk.waiting()) and self.clock() < give_up:
            time.sleep(min(AGAIN_SECONDS, self.log.lag / SECOND_US / 4))
            for some in _batches(again):
                for pair in some:
                    found.pop(pair, None)
                found |= {one.pair: one for one in self.look(some, others)}
        return list(found.values())

    def watch(
        self, within: float, most_a_second: int, stopped: Callable[[float], bool]
    ) -> Iterator[list[Found]]:
        """Compare for ever: every pair within so many seconds, at most so many pairs a second.

        `stopped` waits so many seconds and says whether it is over.
        """
        ring: deque[Pair] = deque(self.log.pairs())
        others: dict[Pair, str] = {}
        pages = self.unknown()
        slow_told = False
        while True:
            began = time.monotonic()
            try:
                ring.extend(self.read_log())
                share = -(-len(ring) // max(1, int(within)))
                if share > most_a_second and not slow_told:
                    slow_told = True
                    seconds = len(ring) / most_a_second
                    LOG.warning("%d pairs take %.0f s, not %.0f", len(ring), seconds, within)
                for _ in range(1 + share // KEYS_A_SCAN):
                    page = next(pages, None)
                    if page is None:
                        pages = self.unknown()
                        break
                    ring.extend(pair for pair in page if pair not in others)
                    others |= page
                some = [ring.popleft() for _ in range(min(share, most_a_second, len(ring)))]
                ring.extend(some)
                urgent = self.desk.suspects()[:PAIRS_A_ROUND]
                yield self.look(list(dict.fromkeys([*urgent, *some])), others)
            except GateUnavailable as wrong:
                # What was being walked through is broken off: it begins anew.
                pages = self.unknown()
                LOG.warning("%s", wrong)
            if stopped(max(0.0, 1.0 - (time.monotonic() - began))):
                return

    def repair(self, pair: Pair) -> list[dict[str, Any]]:
        """Look at a pair, put it right where it is wrong, and look again."""
        return [done for one in self.check([pair]) for done in self.repair_found(one)]

    def repair_found(self, found: Found) -> list[dict[str, Any]]:
        """Put right what was found, view by view; what was done, as plain values."""
        pair, drift, gate, row = found
        position = self.log.position(pair)
        done: list[dict[str, Any]] = []
        for view in dict.fromkeys(one.view for one in drift):
            mine = [one for one in drift if one.view == view]
            why = "; ".join(one.why for one in mine)
            if position is not None and any(one.repairable for one in mine):
                if view == "redis":
                    assert self.gates is not None
                    assert gate is not None
                    self.gates.audit(position.pool).repair(position, gate)
                else:
                    assert self.rows is not None
                    self.rows.repair(position, row)
            whole = position is not None and all(one.repairable for one in mine)
            done.append({"view": view, "repaired": whole, "why": why})
        self.look([pair])
        return done


def _batches(pairs: list[Pair]) -> Iterator[list[Pair]]:
    for start in range(0, len(pairs), PAIRS_A_ROUND):
        yield pairs[start : start + PAIRS_A_ROUND]
