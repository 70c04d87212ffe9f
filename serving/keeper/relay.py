"""Outbox to log: in order, acknowledged before it is forgotten, at least once with equal ids."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from redis.exceptions import RedisError

from serving.keeper.events import relayed, source_of
from serving.keeper.status import Status
from sinks.kafka.events import OutRecord
from sinks.kafka.producer import DeliveryError, TopicWriter
from sinks.redis import keeper_calls
from sinks.redis.client import HoldGate
from sinks.redis.keeper_calls import send
from sinks.redis.model import OutboxEntry
from sinks.redis.protocol import Protocol, Steps

LOG = logging.getLogger("tillflow.keeper")

ENTRIES_A_BATCH = 500
# How long one look waits for an entry; a relay that is to stop does so within this time.
LOOK_MS = 200
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
# An epoch that is not known: what is left of a gate whose own key is gone.
NO_EPOCH = "unknown"
# Entries are forgotten only in the epoch in which they were read: another one numbers its own.
TRIM = """
if (redis.call('HGET', KEYS[1], 'epoch') or '') ~= ARGV[1] then return 0 end
return redis.call('XTRIM', KEYS[2], 'MINID', '=', ARGV[2])
"""


class Relay:
    """Carries the outbox of one pool to the log."""

    def __init__(self, gate: HoldGate, writer: TopicWriter, status: Status) -> None:
        self._gate, self._writer, self._status = gate, writer, status
        # redis-py leaves this method untyped.
        self._execute: Callable[..., Any] = gate.client.execute_command
        self._pool = gate.settings.pool
        self._after = ""
        # Read and not yet acknowledged. It outlives a flushed Redis: what was read is told.
        self._pending: list[OutRecord] = []

    def settle(self, stop: threading.Event) -> None:
        """Deliver what was read and not acknowledged in an earlier term."""
        self._deliver(stop)

    def begin(self, stop: threading.Event) -> None:
        """Start again from the first entry; what was read before is delivered first."""
        self.settle(stop)
        self._after = ""

    def drain(self, stop: threading.Event) -> int:
        """Deliver and forget all that is there; how many entries that were."""
        total = 0
        while relayed_now := self._relay(stop):
            total += relayed_now
        return total

    def run(self, stop: threading.Event) -> None:
        """Relay until it is to stop."""
        while not stop.is_set():
            if not self._relay(stop):
                self._wait()

    def _wait(self) -> None:
        log = self._gate.protocol.keys.log
        try:
            self._execute("XREAD", "COUNT", 1, "BLOCK", LOOK_MS, "STREAMS", log, self._after or "0")
        except RedisError as wrong:
            raise self._gate.protocol.unavailable(wrong) from wrong

    def _relay(self, stop: threading.Event) -> int:
        epoch, entries = self._gate.run(_read(self._gate.protocol, self._after))
        if not entries:
            return 0
        self._pending = relayed(entries, source_of(self._pool, epoch or NO_EPOCH))
        self._deliver(stop)
        last = entries[-1]
        self._trim(epoch, last.id)
        self._after = last.id
        self._status.relayed(len(entries), last.time)
        return len(entries)

    def _deliver(self, stop: threading.Event) -> None:
        """Until the log has acknowledged everything; only an order to stop ends the trying.

        Raises:
            DeliveryError: it is to stop, and the log has not taken it. It is still in the outbox.
        """
        pause = FIRST_PAUSE_SECONDS
        while self._pending:
            try:
                write(self._writer, self._pending)
            except DeliveryError as wrong:
                if stop.is_set():
                    raise
                self._status.trouble(str(wrong))
                LOG.warning("%s; %d events wait, trying on", wrong, len(self._pending))
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                self._pending = []

    def _trim(self, epoch: str, upto: str) -> None:
        keys = self._gate.protocol.keys
        milliseconds, _, number = upto.partition("-")
        first_kept = f"{milliseconds}-{int(number) + 1}"
        try:
            self._execute("EVAL", TRIM, 2, keys.gate, keys.log, epoch, first_kept)
        except RedisError as wrong:
            raise self._gate.protocol.unavailable(wrong) from wrong


def write(writer: TopicWriter, records: Sequence[OutRecord]) -> None:
    """Write records and wait until the log has them."""
    for record in records:
        writer.write(record.topic, record.key, record.value, record.headers)
    writer.flush()


def _read(gate: Protocol, after: str) -> Steps[tuple[str, list[OutboxEntry]]]:
    """Entries and the epoch that they were written in."""
    while True:
        (before,) = yield from send(("HGET", gate.keys.gate, "epoch"))
        entries = yield from keeper_calls.outbox(gate, after, ENTRIES_A_BATCH)
        (epoch,) = yield from send(("HGET", gate.keys.gate, "epoch"))
        if epoch == before:
            return (epoch or b"").decode(), entries
        time.sleep(0.001)
