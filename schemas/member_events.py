"""What happens to members: refunds, registration, merges, consent, erasure; and what tillflow says.

A purchase is a `pos.order.v1` that names its member. All ids of members are pseudonyms.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from schemas.movement import Name

REFUND_TYPE = "pos.refund.v1"
REGISTERED_TYPE = "member.registered.v1"
MERGED_TYPE = "member.merged.v1"
UNMERGED_TYPE = "member.unmerged.v1"
ERASED_TYPE = "member.erased.v1"
CONSENT_TYPE = "member.consent.v1"
THRESHOLDS_TYPE = "member.thresholds.v1"
SEGMENT_CHANGED_TYPE = "member.segment_changed.v1"
HEALTH_CHANGED_TYPE = "member.health_changed.v1"

Origin = Literal["live", "backfill", "replay", "correction"]
Purpose = Literal["marketing", "profiling", "service"]
Channel = Literal["sms", "wechat", "wecom", "mini_program", "email", "phone", "pos", "any"]
ConsentStatus = Literal["granted", "denied", "withdrawn"]
Cause = Literal["purchase", "refund", "time", "thresholds", "merge", "unmerge"]
Band = Literal["at_risk", "watch", "healthy"]
Segment = Literal[
    "high_value",
    "high_potential",
    "high_value_leaving",
    "high_value_lapsed",
    "loyal_small_basket",
    "promising_new",
    "small_basket_slipping",
    "lost",
]
Money = Annotated[
    int, msgspec.Meta(ge=0, le=10**13, description="minor units (fen, cents) of `currency`")
]
Text = Annotated[str, msgspec.Meta(max_length=500)]


class Refund(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """Money given back for a receipt, in part or in whole; it names the receipt.

    `order_store` is where the receipt was made out, if that was another store.
    """

    store: Name
    refund: Name
    order: Name
    member: Name
    amount: Money
    currency: str = "CNY"
    order_store: Name | None = None
    reason: Text | None = None


class Registered(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """Somebody became a member, or their home store or time zone changed."""

    member: Name
    home_store: Name | None = None
    timezone: Name | None = None


class Merged(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """Two ids are one person: what `member` did and will do counts for `survivor`."""

    member: Name
    survivor: Name
    evidence: Text | None = None


class Unmerged(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """The merge was a mistake: both are as if it had never been."""

    member: Name
    survivor: Name
    evidence: Text | None = None


class Erased(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A person asked to be forgotten: all ids of theirs, for ever, replays included."""

    members: Annotated[list[Name], msgspec.Meta(min_length=1, max_length=100)]


class ConsentChanged(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """What a member allowed or forbade; `text_version` and `evidence` are kept to prove it."""

    member: Name
    purpose: Purpose
    channel: Channel
    status: ConsentStatus
    text_version: Text | None = None
    evidence: Text | None = None
    collected_via: Text | None = None


class ThresholdsPublished(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """From when on which figures are high; the largest version counts.

    Recency is near within `recency_days`; frequency and monetary are high at these or more.
    """

    version: Annotated[int, msgspec.Meta(ge=1, le=2**31)]
    recency_days: Annotated[float, msgspec.Meta(gt=0, le=3650)]
    frequency: Annotated[int, msgspec.Meta(ge=1)]
    monetary: Annotated[int, msgspec.Meta(ge=0, description="minor units of the chain's currency")]
    method: Literal["fixed", "mean", "quantile"] = "fixed"


class HealthChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The band of a member's health is another: `score` is its chance to buy in 30 days, 0 to 100.

    `cause` is `time` where it did nothing.
    """

    member: str
    changed_at: datetime
    before: Band | None
    after: Band
    score: int
    model: str
    cause: Cause
    origin: Origin
    event: str | None


class SegmentChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A member is in another segment, and why: `thresholds` never means that somebody did anything.

    Columns are explained in the warehouse's table `member_transition`.
    """

    member: str
    number: int
    changed_at: datetime
    from_segment: Segment | None
    to_segment: Segment | None
    cause: Cause
    origin: Origin
    event: str | None
    last_at: datetime | None
    frequency: int
    monetary: int
    thresholds: int
    dwell_seconds: float | None
