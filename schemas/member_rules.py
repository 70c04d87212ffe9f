"""The configuration of members: `members:` of the chain's file."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]


class SegmentThresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when on which figures are high, as long as no `member.thresholds.v1` says otherwise.

    Recency is near within `recency_days` of the last purchase; frequency and monetary are high at
    these or more. Whoever changes a figure raises `version`.
    """

    version: Annotated[int, msgspec.Meta(ge=1, le=2**31)] = 1
    recency_days: Annotated[float, msgspec.Meta(gt=0, le=3650)] = 30.0
    frequency: Annotated[int, msgspec.Meta(ge=1)] = 3
    monetary: Annotated[int, msgspec.Meta(ge=0)] = 50_000


class MembersConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How members are judged.

    Frequency counts visits of the last `frequency_days`, monetary sums what was paid and not given
    back in the last `monetary_days`. `day_count`: `exact` days are 24 hours, `calendar` days end
    at midnight of the chain's zone, the day of the purchase not counted. Receipts that follow each
    other within `visit_gap_minutes` are one visit; one below `least_amount` (minor units) is a gift
    and no purchase. What happened more than `late_days` before the
    newest event goes to dead_letter, and so does what is more than `future_hours` ahead of the
    clock. More than `most_purchases` receipts within reach are no person but a card of the till.
    """

    frequency_days: Days = 90
    monetary_days: Days = 365
    day_count: Literal["exact", "calendar"] = "exact"
    visit_gap_minutes: Annotated[float, msgspec.Meta(ge=0, le=1440)] = 0.0
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")] = "CNY"
    least_amount: Annotated[int, msgspec.Meta(ge=0)] = 1
    late_days: Days = 90
    future_hours: Annotated[float, msgspec.Meta(gt=0, le=8760)] = 1.0
    most_purchases: Annotated[int, msgspec.Meta(ge=10, le=100_000)] = 2_000
    thresholds: SegmentThresholds = SegmentThresholds()
