"""Reads what the log says of a desk's coupons, to its end."""

from __future__ import annotations

import threading

from schemas.coupon_events import COUPON_TOPIC
from serving.keeper.events import Unreadable, read_event
from serving.keeper.gathering import Interrupted
from serving.keeper.ports import Log
from sinks.coupons.told import Told


def read_coupons_of(log: Log, desk: str, stop: threading.Event | None = None) -> Told:
    """Everything that is on the log about a desk.

    Raises:
        LogAway: no broker answers, or the topic is missing.
        LogLost: the log changed while it was read.
        Interrupted: it is to stop.
    """
    found = Told(desk)
    reader = log.reader([COUPON_TOPIC])
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
                return found
    finally:
        reader.close()
