"""Reads what the log says of a desk's coupons, to its end."""

from __future__ import annotations

import threading
import time

from schemas.coupon_events import COUPON_TOPIC
from schemas.member_events import ERASED_TYPE
from serving.keeper.events import Unreadable, read_event
from serving.keeper.gathering import Interrupted
from serving.keeper.ports import Log, LogAway, Reader
from sinks.coupons.told import Told


def read_coupons_of(log: Log, desk: str, stop: threading.Event | None = None) -> Told:
    """Everything that is on the log about a desk, and who was erased since.

    Raises:
        LogAway: no broker answers, or the topic is missing.
        LogLost: the log changed while it was read.
        Interrupted: it is to stop.
    """
    found = Told(desk)
    reader = _reader(log)
    try:
        while True:
            if stop is not None and stop.is_set():
                msg = "it was to stop before the coupons were read"
                raise Interrupted(msg)
            blocks = reader.read(0.2)
            for block in blocks:
                for record in block.records:
                    try:
                        event = read_event(record)
                    except Unreadable:
                        found.unreadable += 1
                        continue
                    if event is not None:
                        found.take(event.type, event.source, event.id, event.data)
            if not blocks and reader.ended():
                found.ended(time.time_ns() // 1_000_000)
                return found
    finally:
        reader.close()


def _reader(log: Log) -> Reader:
    try:
        return log.reader([COUPON_TOPIC, ERASED_TYPE])
    except LogAway:
        # Where nobody was ever erased there is no such topic; a log that is away says so again.
        return log.reader([COUPON_TOPIC])
