"""What a diagnosis is made from: a campaign, and what each receiver did before and during it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median


@dataclass(frozen=True, slots=True)
class Campaign:
    """A coupon: `off` from `threshold` on, in minor units; days are local to the shops."""

    name: str
    threshold: int
    off: int
    valid_from: dt.date
    valid_to: dt.date  # the last day
    channels: tuple[str, ...]
    as_of: dt.date  # the last day that is known

    @property
    def valid_days(self) -> int:
        """Days on which it can be used."""
        return (self.valid_to - self.valid_from).days + 1

    @property
    def open(self) -> bool:
        """Whether it can still be used after what is known."""
        return self.as_of < self.valid_to


@dataclass(frozen=True, slots=True)
class Receiver:
    """A member who was issued the coupon.

    `baskets` and `days` are of its purchases in the year before, `during` are the baskets (of goods
    that the coupon is for) of its visits while the coupon was valid.
    """

    member: str
    group: str
    baskets: tuple[int, ...]
    days: tuple[dt.date, ...]
    delivered: bool
    visits: int  # while it was valid
    during: tuple[int, ...]
    redeemed: bool
    opened: bool | None = None  # None where the channel does not tell
    refused: int | None = None  # times that a till refused it; None where nobody counted
    missing: int | None = None  # visits on which its goods were sold out; likewise
    other_offer: bool = False  # used another offer instead
    coupons_before: int = 0  # in the 30 days before

    @property
    def usual(self) -> float | None:
        """The median basket."""
        return median(self.baskets) if self.baskets else None

    def bought_in(self, days: int, until: dt.date) -> int:
        """Purchases in the days before one."""
        return sum(until - dt.timedelta(days=days) <= day < until for day in self.days)

    def gaps(self) -> list[int]:
        """Days between purchases."""
        ordered = sorted(set(self.days))
        return [(later - earlier).days for earlier, later in pairwise(ordered)]


def share(count: int, of: int) -> float:
    """A part, 0 of nothing."""
    return count / of if of else 0.0


def medians(receivers: Sequence[Receiver]) -> list[float]:
    """The median baskets of those who have any."""
    return [usual for one in receivers if (usual := one.usual) is not None]
