"""Right before a message leaves, everything that may have changed is judged again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from operators.channels.heard import Asked
from operators.journeys.consents import newest, objects
from operators.journeys.wall import Hours, first_zone
from operators.members.member import ConsentKey, Statement
from schemas.journey_rules import ChannelPolicy, JourneysConfig

Verdict = Literal["go", "hold", "next", "stop"]
REFUSED = ("denied", "withdrawn")


class Standing(NamedTuple):
    """What is known of a member now; who said nothing since is as the journey found them."""

    consents: Mapping[ConsentKey, Statement]
    erased: bool


class Judged(NamedTuple):
    """`hold` until an instant, `next`: not in this channel, `stop`: not at all; and why."""

    verdict: Verdict
    reason: str = ""
    until: int = 0


class Judge:
    """The chain's rules for the last moment: the journey has judged by all of them before."""

    def __init__(self, config: JourneysConfig) -> None:
        self._channels = config.channels
        quiet = config.quiet_hours
        self._hours = Hours(() if quiet is None else ((_minute(quiet[:5]), _minute(quiet[6:])),))

    def judge(self, asked: Asked, channel: str, standing: Standing, now: int) -> Judged:
        """Whether a message may leave in a channel at an instant."""
        if standing.erased:
            return Judged("stop", "erased")
        if now > asked.not_after:
            return Judged("stop", "expired")
        if asked.action == "give":
            # It says nothing to anybody: the journey has judged whether it may be given.
            return Judged("go")
        consents = standing.consents
        if asked.marketing and objects(consents):
            return Judged("stop", "consent")
        purpose = "marketing" if asked.marketing else "service"
        policy = self._channels.get(channel, ChannelPolicy("any"))
        if newest(consents, purpose, policy.consent) in REFUSED:
            return Judged("next", "consent")
        if not asked.marketing:
            return Judged("go")
        opens = self._hours.next_open(now, first_zone(asked.zone))
        if opens == now:
            return Judged("go")
        if opens is None or opens > asked.not_after:
            return Judged("stop", "quiet")
        return Judged("hold", "quiet", opens)


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
