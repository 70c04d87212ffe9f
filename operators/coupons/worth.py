"""What one coupon does to a basket: how much off, spread over which lines, how much is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.coupons import Basket, BasketLine, CouponRule, Gift, Goods


@dataclass(frozen=True, slots=True)
class Worth:
    """One coupon on one basket; minor units.

    `base` is what its goods cost as the threshold sees them, `missing` what they would have to
    cost more. `spread` says how much of `off` falls on each line. `cost` is what it takes from
    the budget: `off`, or the value of the gift. Without goods that count it is worth nothing,
    whatever the threshold.
    """

    off: int
    base: int
    missing: int
    spread: tuple[int, ...]
    gift: Gift | None = None

    @property
    def cost(self) -> int:
        """What the budget pays."""
        return self.off if self.gift is None else self.gift.quantity * self.gift.value

    @property
    def counts(self) -> bool:
        """Whether the customer gets anything."""
        return self.off > 0 or self.gift is not None


def counts(rule: CouponRule, line: BasketLine) -> bool:
    """Whether a line is among the goods of a coupon."""
    if rule.only is not None and not _in(rule.only, line):
        return False
    return rule.without is None or not _in(rule.without, line)


def worth(rule: CouponRule, basket: Basket, left: Sequence[int] | None = None) -> Worth:
    """What a coupon does to a basket.

    `left` is what coupons before it leave to pay of each line. The threshold does not see them:
    whoever reached it, reached it.
    """
    mine = [counts(rule, line) for line in basket.lines]
    payable = [line.left for line in basket.lines] if left is None else left
    open_ = [cents if yes else 0 for cents, yes in zip(payable, mine, strict=True)]
    base = sum(
        line.amount if rule.base == "before_discounts" else line.payable
        for line, yes in zip(basket.lines, mine, strict=True)
        if yes
    )
    missing = max(0, rule.threshold - base)
    nothing = (0,) * len(basket.lines)
    if missing or not any(mine):
        return Worth(0, base, missing, nothing)
    if rule.kind == "gift":
        return Worth(0, base, 0, nothing, rule.gift)
    return Worth(off := _off(rule, sum(open_)), base, 0, spread(off, open_))


def _off(rule: CouponRule, open_: int) -> int:
    if rule.amount is not None:
        return min(rule.amount, open_)
    # To the nearest minor unit, halves up; 100% leaves nothing.
    off = (open_ * (rule.percent or 0) + 50) // 100
    return off if rule.most is None else min(off, rule.most)


def spread(off: int, weights: Sequence[int]) -> tuple[int, ...]:
    """`off` over lines in proportion to their weights: whole units, none above its weight.

    By largest remainder, the first line first where remainders are equal; the sum is exact.
    """
    total = sum(weights)
    if off == 0 or total == 0:
        return (0,) * len(weights)
    parts = [off * weight // total for weight in weights]
    rest = off - sum(parts)
    order = sorted(range(len(weights)), key=lambda i: (-(off * weights[i] % total), i))
    for i in order[:rest]:
        parts[i] += 1
    return tuple(parts)


def _in(goods: Goods, line: BasketLine) -> bool:
    return line.sku in goods.skus or line.category in goods.categories


def paid_back(base: int, off: int, before: int, returned: int) -> int:
    """What a customer gets for goods of `returned` that come back after goods of `before`.

    The coupon's `off` was in proportion on all goods that counted, which cost `base`; parts add up
    to exactly what was paid.
    """
    if base == 0:
        return returned

    def taken(cents: int) -> int:
        return off * min(cents, base) // base

    return returned - (taken(before + returned) - taken(before))
