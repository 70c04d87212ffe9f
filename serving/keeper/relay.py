"""Outbox to log: in order, acknowledged before it is forgotten, at least once with equal ids."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from serving.keeper.outboxes import Outbox
from serving.keeper.status import Status
from sinks.kafka.events import OutRecord
from sinks.kafka.producer import DeliveryError, TopicWriter

LOG = logging.getLogger("tillflow.keeper")

# How long one look waits for an entry; a relay that is to stop does so within this time.
LOOK_MS = 200
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
# Entries are forgotten only in the epoch in which they were read: another one numbers its own.
TRIM = """
if (redis.call('HGET', KEYS[1], 'epoch') or '') ~= ARGV[1] then return 0 end
return redis.call('XTRIM', KEYS[2], 'MINID', '=', ARGV[2])
"""


class Relay:
    """Carries one outbox to the log; `told` hears how many entries, and when the last was told."""

    def __init__(
        self,
        outbox: Outbox,
        writer: TopicWriter,
        status: Status,
        told: Callable[[int, datetime], None],
    ) -> None:
        self._outbox, self._writer, self._status, self._told = outbox, writer, status, told
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
        while relayed_now := self.step(stop):
            total += relayed_now
        return total

    def run(self, stop: threading.Event) -> None:
        """Relay until it is to stop."""
        while not stop.is_set():
            if not self.step(stop):
                self.wait()

    def wait(self) -> None:
        """Until there is an entry, for a moment."""
        log = self._outbox.log
        self._outbox.redis(
            "XREAD", "COUNT", 1, "BLOCK", LOOK_MS, "STREAMS", log, self._after or "0"
        )

    def step(self, stop: threading.Event) -> int:
        """Deliver and forget some entries; how many that were."""
        found = self._outbox.read(self._after)
        if found is None:
            return 0
        self._pending = found.records
        self._deliver(stop)
        self._trim(found.epoch, found.last)
        self._after = found.last
        self._told(len(found.records), found.at)
        return len(found.records)

    def _deliver(self, stop: threading.Event) -> None:
        """Until the log has acknowledged everything; only an order to stop ends the trying.

        Raises:
            DeliveryError: it is to stop, and the log has not taken it. It is still in the outbox.
        """
        pause = FIRST_PAUSE_SECONDS
        while self._pending:
            # Again before each try: the log may have been away for long.
            self._pending = self._outbox.fit_to_tell(self._pending)
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
        milliseconds, _, number = upto.partition("-")
        first_kept = f"{milliseconds}-{int(number) + 1}"
        outbox = self._outbox
        outbox.redis("EVAL", TRIM, 2, outbox.state, outbox.log, epoch, first_kept)


def write(writer: TopicWriter, records: Sequence[OutRecord]) -> None:
    """Write records and wait until the log has them."""
    for record in records:
        writer.write(record.topic, record.key, record.value, record.headers)
    writer.flush()
