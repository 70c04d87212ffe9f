"""The moment of sending: everything is judged again, whatever was true when the wait began.

Checks come in one order, and the holdout last, so that who is held out was let through by all the
others: the two groups differ by the treatment alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple
from zoneinfo import ZoneInfo

from operators.journeys.consents import allowed, objects
from operators.journeys.decisions import Verdict
from operators.journeys.program import Act, Program
from operators.journeys.view import View
from operators.journeys.wall import begin_of_day
from schemas.instants import DAY_US
from schemas.journey_rules import Cap, JourneysConfig


class Judged(NamedTuple):
    """What is decided, why, until when it is put off, and in which channels it may go."""

    verdict: Verdict
    reason: str
    until: int | None
    channels: tuple[str, ...]


class Gate:
    """The chain's rules for sending."""

    def __init__(self, config: JourneysConfig) -> None:
        self._channels = config.channels
        self.caps = config.caps
        # What is older counts for no cap; a calendar day may have 25 hours.
        self.longest = max((round((cap.days + 2) * DAY_US) for cap in config.caps), default=0)

    def judge(
        self,
        act: Act,
        program: Program,
        view: View,
        sent: Sequence[int],
        first_due: int,
        now: int,
        zone: ZoneInfo,
    ) -> Judged:
        """Whether a message may go now; the holdout is left to the caller."""
        ends = first_due + program.ttl
        if now > ends:
            return Judged("suppress", "expired", None, ())
        marketing = act.class_ == "marketing"
        if marketing and objects(view.consents):
            return Judged("suppress", "objected", None, ())
        purpose = act.class_ or "marketing"
        channels = tuple(
            one
            for one in act.channels
            if one in self._channels
            and allowed(view.consents, purpose, self._channels[one].consent)
        )
        if not channels:
            return Judged("suppress", "consent", None, ())
        if not marketing:
            return Judged("go", "", None, channels)
        opens = program.hours.next_open(now, zone)
        if opens != now:
            if opens is None or opens > ends:
                return Judged("suppress", "quiet", None, channels)
            return Judged("defer", "quiet", opens, channels)
        room = self.room_at(sent, now, zone)
        if room > now:
            if program.on_capped == "wait" and room <= ends:
                return Judged("defer", "cap", room, channels)
            return Judged("suppress", "cap", None, channels)
        return Judged("go", "", None, channels)

    def room_at(self, sent: Sequence[int], now: int, zone: ZoneInfo) -> int:
        """When the caps next have room for a message: `now` if they have it now."""
        return max((_room(cap, sent, now, zone) for cap in self.caps), default=now)


def _room(cap: Cap, sent: Sequence[int], now: int, zone: ZoneInfo) -> int:
    window = round(cap.days * DAY_US)
    if cap.window == "rolling":
        counted = sorted(at for at in sent if at > now - window)
        if len(counted) < cap.most:
            return now
        return counted[len(counted) - cap.most] + window
    since = begin_of_day(now, zone, ceil(cap.days) - 1)
    if sum(at >= since for at in sent) < cap.most:
        return now
    return begin_of_day(now, zone, -1)
