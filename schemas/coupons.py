"""Coupons as an operator writes them down, and the basket that they are held against.

Money is minor units (fen, cents) of the file's currency, whole numbers; days and times of day are
those of the file's time zone.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.movement import Name

Kind = Literal["amount_off", "percent_off", "gift"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_MONEY = 10**12

Money = Annotated[int, Meta(ge=0, le=MOST_MONEY, description="minor units (fen, cents)")]
Positive = Annotated[int, Meta(ge=1, le=MOST_MONEY, description="minor units, from 1")]
Count = Annotated[int, Meta(ge=1, le=10**9)]
Words = Annotated[str, Meta(min_length=1, max_length=120)]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Names(_Part, frozen=True):
    """What people read."""

    zh: Words
    en: Words


class Gift(_Part, frozen=True):
    """Goods that are given; `value` is what one of them costs the budget."""

    sku: Name
    quantity: Annotated[int, Meta(ge=1, le=1000)] = 1
    value: Money = 0


class Validity(_Part, frozen=True):
    """Whole days: either `first` to `last`, both included, or `days` beginning with the issue."""

    first: date | None = None
    last: date | None = None
    days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class Budget(_Part, frozen=True):
    """At most so many issued, so many redeemed, so much money off; what is left out has no cap.

    A coupon that is rolled back counts no longer as redeemed; one that expires was still issued.
    """

    issued: Count | None = None
    redeemed: Count | None = None
    money: Positive | None = None


class Goods(_Part, frozen=True):
    """Lines of a basket by their SKU or category."""

    skus: list[Name] = []
    categories: list[Name] = []


class Returned(_Part, frozen=True):
    """What becomes of a coupon when everything bought with it came back."""

    restore: bool = True
    grace_days: Annotated[int, Meta(ge=0, le=365)] = 0


class CouponRule(_Part, frozen=True):
    """One coupon of the file; its members get copies of it.

    `amount` off the goods that count once they cost `threshold`; or `percent` off them, at most
    `most`; or a gift. `base`: whether the threshold is held against prices before or after other
    discounts. `together` coupons go with each other, an `alone` one with none. `stopped`: no more
    are issued, or `all`: none is used either.
    """

    id: Id
    name: Names
    kind: Kind
    valid: Validity
    budget: Budget
    threshold: Money = 0
    amount: Positive | None = None
    percent: Annotated[int, Meta(ge=1, le=100)] | None = None
    most: Positive | None = None
    gift: Gift | None = None
    per_member: Annotated[int, Meta(ge=1, le=10_000)] = 1
    base: Literal["before_discounts", "after_discounts"] = "after_discounts"
    only: Goods | None = None
    without: Goods | None = None
    stores: list[Name] | None = None
    weekdays: list[Weekday] | None = None
    hours: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")] | (
        None
    ) = None
    stacking: Literal["alone", "together"] = "alone"
    transferable: bool = False
    stopped: Literal["issue", "all"] | None = None
    offline_hours: Annotated[int, Meta(ge=0, le=24 * 14)] = 24
    returned: Returned = Returned()

    @property
    def most_off(self) -> int | None:
        """What one coupon may cost at most, in minor units; None where nothing limits it."""
        if self.kind == "amount_off":
            return self.amount
        if self.kind == "gift" and self.gift is not None:
            return self.gift.quantity * self.gift.value
        return self.most

    @property
    def terms(self) -> bytes:
        """What was promised to those who have one: it never changes under the same id."""
        free = msgspec.structs.replace(
            self,
            budget=Budget(),
            per_member=1,
            name=Names(zh="-", en="-"),
            offline_hours=0,
            stopped=None,
        )
        return msgspec.json.encode(free)


class CouponBook(_Part, frozen=True):
    """The whole file; a higher `version` replaces what was published before it."""

    version: Annotated[int, Meta(ge=1, le=2**31)]
    coupons: tuple[CouponRule, ...]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "CNY"
    timezone: str = "Asia/Shanghai"

    def rule(self, campaign: str) -> CouponRule | None:
        """The coupon of that id."""
        return next((each for each in self.coupons if each.id == campaign), None)


class BasketLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line at the till: `amount` before and `discount` by other offers, of the whole line.

    `coupons` is what coupons before this one took off: thresholds do not see it.
    """

    sku: Name
    amount: Annotated[int, Meta(ge=0, le=10**10, description="Minor units, the whole line.")]
    discount: Annotated[int, Meta(ge=0, le=10**10, description="Off already.")] = 0
    coupons: Annotated[int, Meta(ge=0, le=10**10, description="Off by other coupons.")] = 0
    category: Name | None = None

    @property
    def left(self) -> int:
        """What is left to pay of it after other coupons."""
        return max(0, self.payable - self.coupons)

    @property
    def payable(self) -> int:
        """What is left to pay of it."""
        return max(0, self.amount - self.discount)


class Basket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What lies at a till, or in a cart of the mini-program."""

    store: Name
    lines: Annotated[tuple[BasketLine, ...], Meta(max_length=500)]
