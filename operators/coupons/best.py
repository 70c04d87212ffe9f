"""Which of a member's coupons a basket should take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from operators.coupons.worth import Worth, worth
from schemas.coupons import Basket, CouponRule

# Percentages come first, of whole prices; then amounts; a gift takes nothing off.
_ORDER = {"percent_off": 0, "amount_off": 1, "gift": 2}


@dataclass(frozen=True, slots=True)
class Held:
    """A coupon that could be used now."""

    coupon: str
    rule: CouponRule
    valid_to: int


@dataclass(frozen=True, slots=True)
class Used:
    """A coupon on a basket, after those before it."""

    coupon: str
    rule: CouponRule
    worth: Worth


@dataclass(frozen=True, slots=True)
class Choice:
    """Coupons that are used with each other, in the order they are taken off."""

    used: tuple[Used, ...] = ()

    @property
    def off(self) -> int:
        """Minor units off the basket."""
        return sum(each.worth.off for each in self.used)

    @property
    def value(self) -> int:
        """Minor units off, and the value of gifts."""
        return sum(each.worth.cost for each in self.used)


def together(held: Iterable[Held], basket: Basket) -> Choice:
    """These coupons with each other; those that give nothing are left out."""
    left = [line.left for line in basket.lines]
    used = []
    for one in sorted(held, key=lambda h: (_ORDER[h.rule.kind], h.rule.id)):
        found = worth(one.rule, basket, left)
        if found.counts:
            used.append(Used(one.coupon, one.rule, found))
            left = [before - off for before, off in zip(left, found.spread, strict=True)]
    return Choice(tuple(used))


def best(held: Sequence[Held], basket: Basket) -> Choice:
    """The most valuable choice: one coupon that stands alone, or all that go with each other.

    One coupon of a campaign is used at a time, the one that ends first. Of equal choices fewer
    coupons win, then those that end first, then by id.
    """
    firsts: dict[str, Held] = {}
    for one in sorted(held, key=lambda h: (h.valid_to, h.coupon)):
        firsts.setdefault(one.rule.id, one)
    groups = [[one] for one in firsts.values() if one.rule.stacking == "alone"]
    groups.append([one for one in firsts.values() if one.rule.stacking == "together"])
    best_of = Choice()
    rank: tuple[int, int, list[tuple[int, str]]] = (0, 0, [])
    for group in groups:
        choice = together(group, basket)
        names = {each.coupon for each in choice.used}
        ends = sorted((one.valid_to, one.coupon) for one in group if one.coupon in names)
        mine = (-choice.value, len(choice.used), ends)
        if choice.used and (not best_of.used or mine < rank):
            best_of, rank = choice, mine
    return best_of
