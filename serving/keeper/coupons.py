"""The coupon desk of a pool, where it has one: its outbox relayed, what lapsed and expired told.

Trouble with it stays here: holds go on, whatever becomes of coupons.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime

from schemas.coupon_events import COUPON_TOPIC
from serving.keeper.coupon_log import read_coupons_of
from serving.keeper.erasures import Erasures
from serving.keeper.gathering import Interrupted, new_epoch
from serving.keeper.outboxes import CouponOutbox
from serving.keeper.ports import Log, LogAway, LogLost
from serving.keeper.relay import Relay
from serving.keeper.status import Status
from serving.keeper.watch import keeps_every_write
from sinks.coupons import erasing, keeping, rebuild
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
            except Interrupted:
                return
            except (CouponError, LogAway, LogLost) as wrong:
                LOG.warning("coupons: %s", wrong)
                self._status.trouble(f"coupons: {wrong}")
            stop.wait(LOOK_SECONDS)

    def close(self) -> None:
        """Give the connections back."""
        self._desk.close()

    def _keep(self, stop: threading.Event) -> None:
        state = self._desk.state()
        if state.rebuilding or (state.restarted and not keeps_every_write(self._desk)):
            self._rebuild(stop)
        elif state.restarted:
            self._desk.run(keeping.mark(self._desk.protocol))
        epoch, sweep_at = self._outbox.epoch(), 0.0
        self.relay.begin(stop)
        with closing(Erasures(self._log, self._desk)) as erasures:
            while not stop.is_set():
                if not (self.relay.step(stop) or erasures.step()):
                    self.relay.wait()
                now = time.monotonic()
                if now >= sweep_at:
                    sweep_at = now + self._sweep_seconds
                    self._sweep()
                    now_is = self._desk.state()
                    if now_is.epoch != epoch or now_is.restarted:
                        return  # another desk by now, or one that may have forgotten something

    def _rebuild(self, stop: threading.Event) -> None:
        """Write it anew: a Redis that was restarted may have lost its last second."""
        LOG.warning("Redis was restarted: the coupon desk %r is written anew", self._desk_name)
        token, run = uuid.uuid4().hex, self._desk.run
        run(rebuild.begin(self._desk.protocol, token))
        self.relay.begin(stop)
        self.relay.drain(stop)
        told = read_coupons_of(self._log, self._desk_name, stop)
        run(rebuild.clear(self._desk.protocol, token))
        run(rebuild.restore(self._desk.protocol, token, told.lives.coupons.values()))
        run(erasing.mark(self._desk.protocol, sorted(told.gone)))
        run(rebuild.reopen(self._desk.protocol, token, new_epoch(datetime.now(UTC), token)))
        LOG.info("the coupon desk is open again: %d events were read", told.events)

    @property
    def _desk_name(self) -> str:
        return self._desk.settings.desk

    def _sweep(self) -> None:
        try:
            while (swept := self._desk.sweep(SWEEP_LIMIT)) > 0:
                self._status.count(coupons_swept=swept)
                if swept < SWEEP_LIMIT:
                    return
        except DeskClosed:
            pass  # closed by somebody who will say when it is open
