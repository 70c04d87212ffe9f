"""Lives of coupons from the log: for a desk written anew, and for the figures of campaigns."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from operators.coupons.life import Lives
from schemas.coupon_events import COUPON_TOPIC, TYPES, CouponEvent
from serving.keeper.events import Unreadable, coupon_source, entry_number, read_event
from serving.keeper.ports import Log, Record

_event = msgspec.json.Decoder(CouponEvent)


@dataclass
class CouponLog:
    """What the log says of one desk's coupons.

    `gaps` counts events whose predecessors are gone, `unreadable` records that are no events.
    """

    desk: str
    lives: Lives = field(default_factory=Lives)
    events: int = 0
    gaps: int = 0
    unreadable: int = 0
    _last: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Follow one record; repetitions of the relay are left out."""
        try:
            event = read_event(record)
            if event is None or not event.source.startswith(coupon_source(self.desk, "")):
                return
            if event.type not in TYPES:
                return
            told = _event.decode(event.data)
            number = entry_number(event.id)
        except (Unreadable, msgspec.DecodeError):
            self.unreadable += 1
            return
        name = (told.coupon, event.source)
        if self._last.get(name, (-1, -1)) >= number:
            return
        self._last[name] = number
        self.events += 1
        self.gaps += not self.lives.follow(event.type.split(".")[1], told)


def read_coupons_of(log: Log, desk: str) -> CouponLog:
    """Everything that is on the log about a desk.

    Raises:
        LogAway: no broker answers, or the topic is missing.
        LogLost: the log changed while it was read.
    """
    found = CouponLog(desk)
    reader = log.reader([COUPON_TOPIC])
    try:
        while True:
            blocks = reader.read(0.2)
            for block in blocks:
                for record in block.records:
                    found.take(record)
            if not blocks and reader.ended():
                return found
    finally:
        reader.close()
