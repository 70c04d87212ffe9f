"""Over-claimed pairs put right or told of; open alerts are remembered in Redis, told ones once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from redis.exceptions import RedisError

from schemas.alert import Alert
from serving.keeper.events import alert_record
from serving.keeper.lease import KeeperKeys
from serving.keeper.relay import write
from serving.keeper.risks import judge
from serving.keeper.status import Status
from sinks.kafka.producer import TopicWriter
from sinks.redis.client import HoldGate
from sinks.redis.errors import GateClosed
from sinks.redis.model import Replaced

LOG = logging.getLogger("tillflow.keeper")

Pair = tuple[str, str]
# Pairs looked at each time: the others have their turn next.
PAIRS_A_LOOK = 200


class _Kept(msgspec.Struct):
    """An open alert; `told`: whether the log has acknowledged this state of it."""

    alert: Alert
    told: bool


_pair = msgspec.json.Decoder(tuple[str, str])
_kept = msgspec.json.Decoder(_Kept)


class Alarms:
    """The over-claimed pairs of one pool.

    A state is written to Redis before it is told and marked once the log has it: after a crash in
    between it is told again, word by word.
    """

    def __init__(self, gate: HoldGate, writer: TopicWriter, status: Status) -> None:
        self._gate, self._writer, self._status = gate, writer, status
        self._key = KeeperKeys(gate.settings.pool).risks
        self._execute: Callable[..., Any] = gate.client.execute_command
        self._open: dict[Pair, _Kept] = {}
        self._turn: list[Pair] = []

    def known(self) -> bool:
        """Whether Redis remembers any; a flushed one does not."""
        return bool(self._redis("EXISTS", self._key))

    def begin(self, found: Iterable[Alert] = ()) -> None:
        """Take up what is open: as Redis has it, and `found` on the log where it has lost it."""
        for alert in found:
            self._save((alert.sku, alert.place), _Kept(alert, told=True))
        rows: dict[bytes, bytes] = self._redis("HGETALL", self._key)
        self._open = {_pair.decode(name): _kept.decode(body) for name, body in rows.items()}
        for pair, kept in list(self._open.items()):
            if not kept.told:
                self._tell(pair, kept)
        self._status.report.open_risks = len(self._open)

    def look(self) -> None:
        """Look at what is over-claimed or was; some pairs at a time."""
        if not self._turn:
            over = [(each.sku, each.place) for each in self._gate.overclaimed()]
            self._turn = list(dict.fromkeys([*over, *self._open]))
        some, self._turn = self._turn[:PAIRS_A_LOOK], self._turn[PAIRS_A_LOOK:]
        self.mend(some)

    def mend(self, pairs: Iterable[Pair]) -> None:
        """Let young holds give way where claims exceed what is there; tell who loses."""
        for sku, place in pairs:
            try:
                replaced = self._gate.replace(sku, place)
            except GateClosed:
                return  # it stays among the over-claimed
            self._log_moves(sku, place, replaced)
            before = self._open.get((sku, place))
            if before is None and not replaced.lost:
                continue
            rows = self._gate.available([sku], [place])[sku]
            after = judge(
                None if before is None else before.alert,
                sku,
                place,
                replaced,
                rows[0] if rows else None,
                datetime.now(UTC),
            )
            if after is not None:
                kept = _Kept(after, told=False)
                self._save((sku, place), kept)
                self._tell((sku, place), kept)
        self._status.report.open_risks = len(self._open)

    def _tell(self, pair: Pair, kept: _Kept) -> None:
        alert = kept.alert
        write(self._writer, [alert_record(alert, self._gate.settings.pool)])
        LOG.warning(
            "%s %s: %d units of %s at %s are claimed and not there",
            alert.alert_type,
            alert.status,
            alert.shortfall,
            alert.sku,
            alert.place,
        )
        if alert.status == "cleared":
            self._redis("HDEL", self._key, msgspec.json.encode(pair))
            self._open.pop(pair, None)
        else:
            self._save(pair, _Kept(alert, told=True))

    def _save(self, pair: Pair, kept: _Kept) -> None:
        self._redis("HSET", self._key, msgspec.json.encode(pair), msgspec.json.encode(kept))
        self._open[pair] = kept

    def _log_moves(self, sku: str, place: str, replaced: Replaced) -> None:
        self._status.count(moved=len(replaced.moved))
        for moved in replaced.moved:
            LOG.info(
                "%d units of %s at %s were sold: hold %s now has them at %s",
                moved.quantity,
                sku,
                place,
                moved.reservation,
                moved.to_place,
            )

    def _redis(self, *command: Any) -> Any:
        try:
            return self._execute(*command)
        except RedisError as wrong:
            raise self._gate.protocol.unavailable(wrong) from wrong
