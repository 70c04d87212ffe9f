"""The outboxes that a keeper relays: of the hold gate, and of the coupon desk beside it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from redis.exceptions import RedisError

from schemas.coupon_events import ERASED
from schemas.instants import to_datetime
from serving.keeper.events import coupons_relayed, relayed, source_of
from sinks.coupons import erasing, keeping
from sinks.coupons.client import CouponDesk
from sinks.coupons.told import coupon_source
from sinks.kafka.events import OutRecord
from sinks.redis import keeper_calls
from sinks.redis.client import HoldGate
from sinks.redis.talk import Blocking

ENTRIES_A_BATCH = 500
# An epoch that is not known: what is left of a store whose own key is gone.
NO_EPOCH = "unknown"
_event: Callable[[bytes], dict[str, Any]] = msgspec.json.Decoder(dict[str, Any]).decode


class Waiting(NamedTuple):
    """Entries that wait, as records; `last` is the id of the last one, told at `at`."""

    epoch: str
    records: list[OutRecord]
    last: str
    at: datetime


class Outbox(ABC):
    """A stream of events in Redis, and the hash that says in which epoch they are written."""

    def __init__(self, client: Blocking, state: str, log: str) -> None:
        self.state, self.log = state, log
        self._told_by = client
        # redis-py leaves this method untyped.
        self._execute: Callable[..., Any] = client.client.execute_command

    @abstractmethod
    def _read(self, after: str, epoch: str) -> Waiting | None:
        """Entries after an id, if any."""

    def fit_to_tell(self, records: list[OutRecord]) -> list[OutRecord]:
        """The records as they may be told by now."""
        return records

    def read(self, after: str) -> Waiting | None:
        """Entries after an id (empty: from the first) and the epoch they were written in."""
        while True:
            before = self.epoch()
            found = self._read(after, before)
            if self.epoch() == before:
                return found
            time.sleep(0.001)

    def epoch(self) -> str:
        """The epoch, or empty."""
        return (self.redis("HGET", self.state, "epoch") or b"").decode()

    def redis(self, *command: Any) -> Any:
        """A plain command; an answer that does not come is told as the store tells it."""
        try:
            return self._execute(*command)
        except RedisError as wrong:
            raise self._told_by.unavailable(wrong) from wrong


class HoldOutbox(Outbox):
    """What becomes of holds: `stock.reservation.v1`."""

    def __init__(self, gate: HoldGate) -> None:
        super().__init__(gate, gate.protocol.keys.gate, gate.protocol.keys.log)
        self._gate = gate

    def _read(self, after: str, epoch: str) -> Waiting | None:
        entries = self._gate.run(keeper_calls.outbox(self._gate.protocol, after, ENTRIES_A_BATCH))
        if not entries:
            return None
        source = source_of(self._gate.settings.pool, epoch or NO_EPOCH)
        last = entries[-1]
        return Waiting(epoch, relayed(entries, source), last.id, last.time)


class CouponOutbox(Outbox):
    """What becomes of coupons: `coupon.*.v1`, all on one topic."""

    def __init__(self, desk: CouponDesk) -> None:
        super().__init__(desk, desk.protocol.keys.state, desk.protocol.keys.log)
        self._desk = desk

    def fit_to_tell(self, records: list[OutRecord]) -> list[OutRecord]:
        """What was written before its member was erased leaves without the name.

        It is told all the same: budgets and funnels count it, and a desk written anew needs it.
        """
        # Of a coupon, or of one that was refused: both name people alike.
        told = [_event(one.value or b"") for one in records]
        names = {one.get(who) or ERASED for one in told for who in ("member", "by")} - {ERASED}
        gone = self._desk.run(erasing.gone(self._desk.protocol, sorted(names)))
        if not gone:
            return records
        return [_nameless(*pair, gone) for pair in zip(records, told, strict=True)]

    def _read(self, after: str, epoch: str) -> Waiting | None:
        entries = self._desk.run(keeping.outbox(self._desk.protocol, after, ENTRIES_A_BATCH))
        if not entries:
            return None
        source = coupon_source(self._desk.settings.desk, epoch or NO_EPOCH)
        last = entries[-1]
        at = to_datetime(last.at * 1000)
        return Waiting(epoch, coupons_relayed(entries, source), last.id, at)


def _nameless(record: OutRecord, told: dict[str, Any], gone: frozenset[str]) -> OutRecord:
    member, key = told.get("member"), record.key
    if member not in gone and told.get("by") not in gone:
        return record
    if told.get("by") in gone:
        told = {**told, "by": ERASED}
    if member in gone:
        # What brought it may lead to the member, too.
        told = {name: value for name, value in told.items() if name != "message"}
        told, key = {**told, "member": ERASED}, ERASED.encode()
    return record._replace(key=key, value=msgspec.json.encode(told))
