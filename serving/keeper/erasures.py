"""Members who ask to be forgotten: the coupon desk is told, and searched for their names."""

from __future__ import annotations

import logging

import msgspec

from schemas.member_events import ERASED_TYPE, Erased
from serving.keeper.events import Unreadable, read_event
from serving.keeper.ports import Log, LogAway, Reader
from sinks.coupons import erasing
from sinks.coupons.client import CouponDesk
from sinks.redis.scripted import Steps

LOG = logging.getLogger("tillflow.keeper")
LOOK_SECONDS = 0.01
_erased = msgspec.json.Decoder(Erased)


class Erasures:
    """Follows `member.erased.v1` from its beginning for one desk; a little at a time.

    What was done is noted at the desk, so a restart does not do it again.
    """

    def __init__(self, log: Log, desk: CouponDesk) -> None:
        self._desk = desk
        self._reader: Reader | None = None
        self._heard: list[str] = []
        self._looking: list[str] = []
        self._cursor = erasing.FIRST_PAGE
        try:
            self._reader = log.reader([ERASED_TYPE])
        except LogAway as wrong:
            LOG.warning("coupons: erasures are not heard: %s", wrong)

    def step(self) -> bool:
        """Hear who is new, and look at some coupons; whether there is more to do at once."""
        self._hear()
        if not self._looking and self._heard:
            run, protocol = self._desk.run, self._desk.protocol
            self._looking = run(erasing.waiting(protocol, list(dict.fromkeys(self._heard))))
            self._heard = []
            if self._looking:
                run(erasing.mark(protocol, self._looking))
        if self._looking:
            self._look()
        return bool(self._looking or self._heard)

    def _hear(self) -> None:
        if self._reader is None:
            return
        for block in self._reader.read(LOOK_SECONDS):
            for record in block.records:
                try:
                    event = read_event(record)
                    if event is not None and event.type == ERASED_TYPE:
                        self._heard += _erased.decode(event.data).members
                except (Unreadable, msgspec.DecodeError) as wrong:
                    LOG.warning("coupons: an erasure cannot be read: %s", wrong)

    def _look(self) -> None:
        protocol, members = self._desk.protocol, frozenset(self._looking)

        def conversation() -> Steps[tuple[str, int]]:
            return (yield from erasing.page(protocol, members, self._cursor))

        self._cursor, _ = self._desk.run(conversation())
        if self._cursor == erasing.FIRST_PAGE:
            self._desk.run(erasing.done(protocol, self._looking))
            LOG.info("coupons: %d members were erased from the desk", len(self._looking))
            self._looking = []

    def close(self) -> None:
        """Let go of the brokers."""
        if self._reader is not None:
            self._reader.close()
