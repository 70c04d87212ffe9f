"""What journeys say on the log: each decision, for those who act on it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from schemas.journey_rules import MessageClass

MESSAGE_DECIDED_TYPE = "message.decided.v1"


class MessageDecided(msgspec.Struct, frozen=True, kw_only=True):
    """A decision of a journey; columns are explained in the warehouse's table `message`.

    Who acts on `go` does so once for each `message`, and not after `not_after`.
    """

    message: str
    member: str
    journey: str
    journey_version: str
    entry: str
    step: str
    action: Literal["send", "give", "set", "notify_staff"]
    decision: Literal["go", "defer", "suppress"]
    reason: str
    decided_at: datetime
    first_due: datetime
    next_at: datetime | None
    not_after: datetime
    message_class: MessageClass | None
    channels: list[str]
    first_available: bool
    text: str
    template: str
    gift: str | None
    valid_seconds: int | None
    tags: dict[str, str]
    held_out: bool
    experiment: str
    arm: str
    zone: str
    segment: str | None
    visits: int
    spent: int
