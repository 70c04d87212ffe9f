"""The coupon desk of a pool, where it has one: its outbox relayed, what lapsed and expired told.

Trouble with it stays here: holds go on, whatever becomes of coupons.
"""

from __future__ import annotations

import logging
import threading
import time

from schemas.coupon_events import COUPON_TOPIC
from serving.keeper.outboxes import CouponOutbox
from serving.keeper.ports import Log, LogAway, LogLost
from serving.keeper.relay import Relay
from serving.keeper.status import Status
from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import CouponError, DeskClosed
from sinks.coupons.settings import DeskSettings
from sinks.kafka.producer import TopicWriter
from sinks.redis.settings import GateSettings

LOG = logging.getLogger("tillflow.keeper")

# How often to look whether there is a desk by now, and after trouble.
LOOK_SECONDS = 1.0
SWEEP_LIMIT = 1000


class CouponKeeper:
    """Keeps one desk while its pool's keeper is at work."""

    def __init__(
        self,
        gate: GateSettings,
        log: Log,
        writer: TopicWriter,
        status: Status,
        sweep_seconds: float,
    ) -> None:
        settings = DeskSettings(
            url=gate.url,
            desk=gate.pool,
            scripting=gate.scripting,
            timeout_seconds=gate.timeout_seconds,
        )
        self._desk = CouponDesk(settings)
        self._outbox = CouponOutbox(self._desk)
        self._log, self._status, self._sweep_seconds = log, status, sweep_seconds
        self.relay = Relay(
            self._outbox, writer, status, lambda count, _: status.count(coupons_relayed=count)
        )

    def run(self, stop: threading.Event) -> None:
        """Keep it until it is to stop; where there is none, look now and then."""
        while not stop.is_set():
            try:
                if self._outbox.epoch():
                    self._log.reader([COUPON_TOPIC]).close()  # that it is there, or can be made
                    self._keep(stop)
            except (CouponError, LogAway, LogLost) as wrong:
                LOG.warning("coupons: %s", wrong)
                self._status.trouble(f"coupons: {wrong}")
            stop.wait(LOOK_SECONDS)

    def close(self) -> None:
        """Give the connections back."""
        self._desk.close()

    def _keep(self, stop: threading.Event) -> None:
        epoch, sweep_at = self._outbox.epoch(), 0.0
        self.relay.begin(stop)
        while not stop.is_set():
            if not self.relay.step(stop):
                self.relay.wait()
            now = time.monotonic()
            if now >= sweep_at:
                sweep_at = now + self._sweep_seconds
                self._sweep()
                if self._outbox.epoch() != epoch:
                    return  # another desk by now: from its first entry

    def _sweep(self) -> None:
        try:
            while (swept := self._desk.sweep(SWEEP_LIMIT)) > 0:
                self._status.count(coupons_swept=swept)
                if swept < SWEEP_LIMIT:
                    return
        except DeskClosed:
            pass  # closed by somebody who will say when it is open
