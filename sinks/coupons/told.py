"""What the log says of a desk's coupons, folded; repetitions of the relay are left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec

from operators.coupons.life import Lives
from schemas.coupon_events import TYPES, CouponEvent
from schemas.member_events import ERASED_TYPE, Erased

_event = msgspec.json.Decoder(CouponEvent)
_erased = msgspec.json.Decoder(Erased)


def coupon_source(desk: str, epoch: str) -> str:
    """Who says it: a coupon desk in one of its epochs."""
    return f"coupon-desk/{quote(desk, safe='')}/{quote(epoch, safe='')}"


@dataclass
class Told:
    """Coupons of one desk by its events, in whatever epochs.

    `gaps` counts coupons that began without what came before, `unreadable` what is no event;
    `gone` are members who were erased, to whom `ended` applies it.
    """

    desk: str
    lives: Lives = field(default_factory=Lives)
    events: int = 0
    gaps: int = 0
    unreadable: int = 0
    gone: set[str] = field(default_factory=set)
    _last: dict[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)

    def take(self, kind: str, source: str, event_id: str, data: bytes) -> None:
        """Follow one event of the log; those of other desks are none of ours."""
        if kind == ERASED_TYPE:
            try:
                self.gone.update(_erased.decode(data).members)
            except ValueError:
                self.unreadable += 1
            return
        if kind not in TYPES or not source.startswith(coupon_source(self.desk, "")):
            return
        try:
            told = _event.decode(data)
            number = tuple(int(part) for part in event_id.partition("#")[0].split("-"))
        except ValueError:
            self.unreadable += 1
            return
        name = (told.coupon, source)
        if self._last.get(name, ()) >= number:
            return
        self._last[name] = number
        self.events += 1
        self.gaps += not self.lives.follow(kind.split(".")[1], told)

    def ended(self, now: int) -> None:
        """All was taken: whose coupons those of erased members were is forgotten."""
        self.lives.erase(self.gone, now)
