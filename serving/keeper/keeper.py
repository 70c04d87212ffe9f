"""The keeper of one pool: holds the lease, sees that the gate is fit, runs relay and projector.

Work is done in terms. Whatever goes wrong ends the term: everything stops, and after a pause the
next term begins by looking at the gate afresh. So there is one way in, and crashes take it too.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from redis.exceptions import RedisError

from schemas.alert import Alert
from serving.keeper.alarms import Alarms
from serving.keeper.coupons import CouponKeeper
from serving.keeper.gathering import Interrupted, gather, new_epoch
from serving.keeper.lease import FencedGate, KeeperKeys, Lease, LeaseLost
from serving.keeper.outboxes import HoldOutbox
from serving.keeper.ports import Log, LogAway, LogLost
from serving.keeper.projector import Projector
from serving.keeper.relay import Relay
from serving.keeper.status import Status
from serving.keeper.watch import Watch, keeps_every_write
from sinks.kafka.producer import DeliveryError, TopicWriter
from sinks.redis.client import HoldGate
from sinks.redis.errors import GateError, OutboxNotEmpty
from sinks.redis.settings import GateSettings

LOG = logging.getLogger("tillflow.keeper")

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
# A term that lasted so long was a good one: the next pause is short again.
GOOD_TERM_SECONDS = 10.0
# Events that slipped into the outbox while the log was read are relayed, and it is read again.
REBUILD_TRIES = 10
# Long enough for a broker to be back; the relay goes on trying after it.
DELIVERY_SECONDS = 10.0

# What may go wrong around us; anything else is a fault of this program and ends it.
TROUBLES = (GateError, RedisError, DeliveryError, LogAway, LogLost)


class KeeperSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one keeper; `lease_seconds` after a crash another keeper may take over."""

    gate: GateSettings
    lease_seconds: float = 3.0
    sweep_seconds: float = 1.0
    status_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what could not work.

        Raises:
            ValueError: a time is out of range; the message says which.
        """
        for name in ("lease_seconds", "sweep_seconds"):
            if getattr(self, name) <= 0:
                msg = f"{name} is {getattr(self, name)}: it must be above 0"
                raise ValueError(msg)


class Keeper:
    """Keeps the gate of one pool until it is told to stop."""

    def __init__(self, settings: KeeperSettings, log: Log) -> None:
        self._settings, self._log = settings, log
        self._gate = HoldGate(settings.gate)
        self._keys = KeeperKeys(settings.gate.pool)
        self._lease = Lease(self._gate, settings.lease_seconds)
        self._fenced = FencedGate(settings.gate, self._lease)
        self.status = Status(settings.gate.pool, settings.status_file)
        # One writer a thread: a flush tells of what was written by its own thread.
        relay_writer, alarm_writer, coupon_writer = (
            TopicWriter(log.brokers, delivery_seconds=DELIVERY_SECONDS, linger_ms=0)
            for _ in range(3)
        )
        self._relay = Relay(HoldOutbox(self._gate), relay_writer, self.status, self.status.relayed)
        self._coupons = CouponKeeper(
            settings.gate, log, coupon_writer, self.status, settings.sweep_seconds
        )
        self._alarms = Alarms(self._gate, alarm_writer, self.status)
        self._projector = Projector(self._gate, log, self._alarms, self.status)
        self._watch = Watch(self._gate, self._fenced, self.status, settings.sweep_seconds)

    def run(self, stop: threading.Event) -> None:
        """Keep the gate, or stand by while another keeper does, until it is to stop."""
        pause = FIRST_PAUSE_SECONDS
        while not stop.is_set():
            began = time.monotonic()
            try:
                # What was read is told, whoever keeps the gate by now.
                self._relay.settle(stop)
                self._coupons.relay.settle(stop)
                if self._lease.take():
                    self._term(stop)
                else:
                    self.status.now(role="standby")
                    stop.wait(self._settings.lease_seconds / 4)
                pause = FIRST_PAUSE_SECONDS
            except TROUBLES as wrong:
                if time.monotonic() - began > GOOD_TERM_SECONDS:
                    pause = FIRST_PAUSE_SECONDS
                LOG.warning("%s; trying again in %.1f s", wrong, pause)
                self.status.trouble(str(wrong))
                self.status.now(role="waiting")
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        self._leave()

    def rebuild_once(self, stop: threading.Event) -> str | None:
        """Write the gate anew now, without keeping it; its epoch, or None where a keeper works.

        Raises:
            GateError, DeliveryError, LogAway, LogLost, Interrupted: it could not be done.
        """
        if not self._lease.take():
            return None
        over = threading.Event()
        renewing = self._start(self._renew, over)
        try:
            self._relay.begin(stop)
            return self._rebuild(stop)
        finally:
            over.set()
            renewing.join()
            self._leave()

    def _term(self, stop: threading.Event) -> None:
        """One term as the keeper; returns when it is to stop.

        Raises:
            Exception: what ended the term, from whatever thread.
        """
        over = threading.Event()
        failed: list[Exception] = []

        def guarded(work: Callable[[threading.Event], None]) -> Callable[[threading.Event], None]:
            def run(over: threading.Event) -> None:
                try:
                    work(over)
                except Exception as wrong:
                    failed.append(wrong)
                finally:
                    over.set()

            return run

        threads = [self._start(guarded(self._renew), over)]
        # Who is to stop while waiting for the log, waits no longer.
        halt = _Either(stop, over)
        try:
            self.status.now(role="active")
            epoch = self._prepare(halt)
            threads += [
                self._start(guarded(self._relay.run), over),
                self._start(guarded(self._projector.run), over),
                self._start(guarded(self._coupons.run), over),
            ]
            self._watch.run(epoch, halt)
        except Interrupted as wrong:
            failed.append(wrong)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        if failed and not (stop.is_set() and isinstance(failed[0], Interrupted)):
            raise failed[0]

    def _prepare(self, stop: threading.Event) -> str:
        """See that the gate is open and whole; the epoch it is in."""
        state = self._gate.gate_state()
        whole = state.state == "open"
        if whole and state.restarted and keeps_every_write(self._gate):
            LOG.info("Redis was restarted and keeps every write: the gate stays open")
            self._fenced.open_gate(state.epoch or "")
        elif whole and state.restarted:
            self._fenced.close_gate()  # at once: it may have forgotten what it promised last
            LOG.warning("Redis was restarted and may have lost its last second")
            whole = False
        for warning in self._gate.check_server():
            LOG.warning("%s", warning)
        self._relay.begin(stop)
        if not whole or state.epoch is None:
            LOG.warning("the gate of pool %r is written anew from the log", self._pool)
            return self._rebuild(stop)
        self._alarms.begin()
        LOG.info("the gate of pool %r is open, epoch %s", self._pool, state.epoch)
        return state.epoch

    def _rebuild(self, stop: threading.Event) -> str:
        """Relay what waits, read the log to its end, write the gate, open it."""
        self._fenced.close_gate()
        epoch = new_epoch(datetime.now(UTC), self._lease.token)
        for _ in range(REBUILD_TRIES):
            self._relay.drain(stop)
            forgotten = not self._alarms.known()
            found = gather(self._log, self._pool, self.status, stop, alerts=forgotten)
            try:
                found.rebuild.write(self._fenced, epoch)
            except OutboxNotEmpty:
                continue
            self._projector.save(found.offsets)
            lost: list[Alert] = found.risks if forgotten else []
            self._alarms.begin(lost)
            self.status.now(epoch=epoch, gate="open", rebuilt_at=datetime.now(UTC))
            LOG.info(
                "the gate of pool %r is open again, epoch %s: %d positions and %d reservation "
                "events were read",
                self._pool,
                epoch,
                found.positions,
                found.reservations,
            )
            return epoch
        msg = f"the outbox of pool {self._pool!r} does not stay empty while the gate is closed"
        raise OutboxNotEmpty(msg)

    def _renew(self, over: threading.Event) -> None:
        """Hold on to the lease.

        Raises:
            LeaseLost: it is another's, or could not be renewed in time.
        """
        seconds = self._settings.lease_seconds
        renewed = time.monotonic()
        while not over.wait(seconds / 3):
            try:
                if not self._lease.renew():
                    msg = "the lease is gone: Redis was emptied, or another keeper has taken over"
                    raise LeaseLost(msg)
                renewed = time.monotonic()
            except LeaseLost:
                raise
            except GateError:
                if time.monotonic() - renewed > seconds:
                    raise

    def _leave(self) -> None:
        try:
            self._lease.give_up()
            self.status.now(role="stopped")
        except GateError as wrong:
            LOG.info("the lease was not given up, it ends by itself: %s", wrong)
        self._gate.close()
        self._fenced.close()
        self._coupons.close()

    @property
    def _pool(self) -> str:
        return self._settings.gate.pool

    @staticmethod
    def _start(work: Callable[[threading.Event], Any], over: threading.Event) -> threading.Thread:
        thread = threading.Thread(target=work, args=(over,), daemon=True)
        thread.start()
        return thread


class _Either(threading.Event):
    """Set when one of two events is; waiting looks at the second every so often."""

    def __init__(self, stop: threading.Event, over: threading.Event) -> None:
        super().__init__()
        self._stop, self._over = stop, over

    def is_set(self) -> bool:
        """Whether one of them is set."""
        return self._stop.is_set() or self._over.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for either of them."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = 0.05 if deadline is None else min(0.05, deadline - time.monotonic())
            if left <= 0:
                break
            self._over.wait(left)
        return self.is_set()
