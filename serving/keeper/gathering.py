"""Reads both topics to their end and gathers what a lost gate is written from."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime

import msgspec

from schemas.alert import ALERT_TYPE, Alert
from schemas.position import POSITION_TYPE, Position
from schemas.reservation import RESERVATION_TYPE, Reservation
from serving.keeper.events import Event, Unreadable, entry_number, of_pool, read_event, source_of
from serving.keeper.ports import Block, Log, Offsets
from serving.keeper.projector import left, newest_positions
from serving.keeper.risks import RISK
from serving.keeper.status import Status
from sinks.redis.rebuild import Rebuild

LOG = logging.getLogger("tillflow.keeper")

READ_SECONDS = 0.02
TELL_SECONDS = 10.0

Line = tuple[str, str, str]
_reservation = msgspec.json.Decoder(Reservation)
_alert = msgspec.json.Decoder(Alert)


class Interrupted(Exception):
    """It was to stop before all was read."""


class Gathered:
    """What the log says of one pool. Feed it in the order of the log, a key's events in theirs."""

    def __init__(self, pool: str) -> None:
        self.rebuild = Rebuild()
        self.reservations = self.positions = 0
        self.offsets: Offsets = {}
        self._pool = pool
        self._alerts: dict[str, Alert] = {}
        self._own: set[tuple[str, str]] = set()
        # The last entry that was told of a line, in each epoch, epochs in the order of the log.
        self._last: dict[Line, dict[str, tuple[int, int]]] = {}

    @property
    def risks(self) -> list[Alert]:
        """Alerts of this keeper that are open."""
        return [alert for alert in self._alerts.values() if alert.status != "cleared"]

    def position(self, position: Position) -> None:
        """A position; of other pools only where the place was of this one before."""
        pair = (position.sku, position.place)
        if position.pool == self._pool:
            self._own.add(pair)
        elif pair in self._own:
            position = left(position)
        else:
            return
        self.rebuild.position(position)
        self.positions += 1

    def reservation(self, event: Event) -> None:
        """An event of the gate; one that a relay repeats late does not count again.

        A relay that was thought dead may say again what it said before, after another relay has
        told what came next: within an epoch entries are numbered, and older ones change nothing.

        Raises:
            Unreadable: it is not of its form.
        """
        if event.type != RESERVATION_TYPE or not of_pool(event.source, self._pool):
            return
        try:
            told = _reservation.decode(event.data)
        except msgspec.MsgspecError as wrong:
            msg = f"it is no reservation: {wrong}"
            raise Unreadable(msg) from wrong
        number = entry_number(event.id)
        seen = self._last.setdefault((told.reservation, told.sku, told.place), {})
        epochs = list(seen)
        if event.source in seen and (event.source != epochs[-1] or number <= seen[event.source]):
            return
        seen[event.source] = number
        self.rebuild.reservation(told, event.id, event.time)
        self.reservations += 1

    def alert(self, event: Event) -> None:
        """A state of an alert; only this keeper's own count.

        Raises:
            Unreadable: it is not of its form.
        """
        if event.source != source_of(self._pool):
            return
        try:
            alert = _alert.decode(event.data)
        except msgspec.MsgspecError as wrong:
            msg = f"it is no alert: {wrong}"
            raise Unreadable(msg) from wrong
        known = self._alerts.get(alert.alert)
        if alert.alert_type == RISK and (known is None or alert.updated_at >= known.updated_at):
            self._alerts[alert.alert] = alert


def gather(log: Log, pool: str, status: Status, stop: threading.Event, *, alerts: bool) -> Gathered:
    """Read positions and reservations (and `alerts`) from the beginning to the end.

    Raises:
        LogAway, LogLost: the log cannot be read.
        Interrupted: it is to stop.
    """
    found = Gathered(pool)
    topics = [POSITION_TYPE, RESERVATION_TYPE, *([ALERT_TYPE] if alerts else [])]
    reader = log.reader(topics)
    tell_at = time.monotonic() + TELL_SECONDS
    try:
        while True:
            for block in reader.read(READ_SECONDS):
                _feed(found, block, status)
            if reader.ended():
                break
            if stop.is_set():
                msg = "it was to stop while the log was being read"
                raise Interrupted(msg)
            if time.monotonic() >= tell_at:
                tell_at = time.monotonic() + TELL_SECONDS
                LOG.info(
                    "still reading: %d positions, %d reservations",
                    found.positions,
                    found.reservations,
                )
        found.offsets = {POSITION_TYPE: reader.offsets().get(POSITION_TYPE, {})}
    finally:
        reader.close()
    return found


def _feed(found: Gathered, block: Block, status: Status) -> None:
    if block.topic == POSITION_TYPE:
        for position in newest_positions([block], status)[0]:
            found.position(position)
        return
    take = found.reservation if block.topic == RESERVATION_TYPE else found.alert
    for record in block.records:
        try:
            event = read_event(record)
            if event is not None:
                take(event)
        except Unreadable as wrong:
            status.count(unreadable=1)
            LOG.warning("a record of %s/%s is left out: %s", block.topic, block.partition, wrong)


def new_epoch(now: datetime, token: str) -> str:
    """The name of an epoch: when it began, and by whom."""
    return f"{now:%Y%m%dT%H%M%S.%f}Z-{token[:6]}"
