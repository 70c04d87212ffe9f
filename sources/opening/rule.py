"""The stated rule by which what a file of sales lacks is supplied; docs/demo.md explains it."""

from __future__ import annotations

from typing import Annotated

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Whole = Annotated[int, msgspec.Meta(ge=1)]


class SupplyRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Periodic review: a shelf orders whole cases once it holds less than its reorder level.

    Each shop reviews its shelves once in `review_days`, on a weekday of its own, in the morning,
    and what it orders comes `lead_days` later at `arrives` o'clock, local time. The reorder level
    is demand over review and lead time plus `z` times its square root (Poisson), at least
    `least_units`; demand is what sold in the last `memory_reviews` periods. `missed_share` of the
    deliveries come `delay_days` late, `short_share` come by half and the rest as late.

    Opening stock is `least_units` and what sells in the first `opening_days`, both in whole cases:
    the only place where the rule looks ahead. On the last morning but one, shops count the shelves
    that sold `counted_units` or more so far but nothing for `silent_days`; a `lost_share` of these
    counts finds one unit less than there should be. All luck comes from `seed`.
    """

    zone: str = "America/New_York"
    case_units: Whole = 6
    review_days: Whole = 7
    lead_days: Annotated[int, msgspec.Meta(ge=0)] = 2
    arrives: Annotated[int, msgspec.Meta(ge=0, le=23)] = 6
    memory_reviews: Whole = 8
    z: Annotated[float, msgspec.Meta(ge=0)] = 1.65
    least_units: Whole = 4
    opening_days: Whole = 14
    missed_share: Share = 0.01
    short_share: Share = 0.02
    delay_days: Whole = 14
    counted_units: Whole = 6
    silent_days: Whole = 14
    lost_share: Share = 0.02
    seed: int = 7

    @property
    def in_words(self) -> str:
        """The rule in a sentence."""
        return (
            f"every {self.review_days} days a shop orders cases of {self.case_units} for each "
            f"shelf below its reorder level (from past sales only), {self.lead_days} days lead "
            f"time, {self.missed_share:.0%} of deliveries late and {self.short_share:.0%} short"
        )
