"""What a basket gets, against the same rules in fractions; the best of several by trying all."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.coupons.best import Held, best
from operators.coupons.offers import Holding, offers
from operators.coupons.worth import paid_back, spread, worth
from schemas.coupons import (
    Basket,
    BasketLine,
    Budget,
    CouponRule,
    Gift,
    Goods,
    Names,
    Validity,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
CATEGORIES = ("tea", "cup", None)
money = st.integers(0, 50_000)


def rule(**given: object) -> CouponRule:
    plain: dict[str, object] = {
        "id": "c",
        "name": Names(zh="券", en="coupon"),
        "kind": "amount_off",
        "valid": Validity(days=5),
        "budget": Budget(issued=1),
        "amount": 5_000,
        "threshold": 28_000,
    }
    if given.get("kind", "amount_off") != "amount_off":
        del plain["amount"]
    return CouponRule(**{**plain, **given})  # type: ignore[arg-type]


def basket(*amounts: int, discount: int = 0) -> Basket:
    lines = [BasketLine(sku=f"s{i}", amount=amount) for i, amount in enumerate(amounts)]
    if discount:
        lines[0] = BasketLine(sku="s0", amount=amounts[0], discount=discount)
    return Basket(store="S1", lines=tuple(lines))


goods = st.none() | st.builds(
    Goods,
    skus=st.lists(st.sampled_from(["s0", "s1"]), max_size=1),
    categories=st.lists(st.sampled_from(["tea", "cup"]), max_size=1),
)
shared = {
    "threshold": money,
    "only": goods,
    "without": goods,
    "base": st.sampled_from(["before_discounts", "after_discounts"]),
    "stacking": st.sampled_from(["alone", "together"]),
}
rules = st.one_of(
    st.builds(rule, kind=st.just("amount_off"), amount=st.integers(1, 40_000), **shared),
    st.builds(
        rule,
        kind=st.just("percent_off"),
        percent=st.integers(1, 100),
        most=st.none() | st.integers(1, 20_000),
        **shared,
    ),
    st.builds(
        rule, kind=st.just("gift"), gift=st.builds(Gift, sku=st.just("g"), value=money), **shared
    ),
)
lines = st.builds(
    BasketLine,
    sku=st.sampled_from(["s0", "s1", "s2"]),
    amount=money,
    discount=st.integers(0, 20_000),
    category=st.sampled_from(CATEGORIES),
)
baskets = st.builds(Basket, store=st.just("S1"), lines=st.lists(lines, max_size=5).map(tuple))


def oracle(one: CouponRule, bought: Basket, left: list[Fraction]) -> tuple[Fraction, bool, int]:
    """What is off, whether a gift is given, what is missing; without spreading or rounding."""
    chosen = []
    for number, line in enumerate(bought.lines):
        names = {line.sku, line.category}
        inside = one.only is None or bool(names & {*one.only.skus, *one.only.categories})
        outside = one.without and names & {*one.without.skus, *one.without.categories}
        if inside and not outside:
            chosen.append(number)
    price = {
        number: bought.lines[number].amount
        if one.base == "before_discounts"
        else max(0, bought.lines[number].amount - bought.lines[number].discount)
        for number in chosen
    }
    missing = max(0, one.threshold - sum(price.values()))
    if missing or not chosen:
        return Fraction(0), False, missing
    there = sum((left[number] for number in chosen), Fraction(0))
    if one.gift is not None:
        return Fraction(0), True, 0
    if one.amount is not None:
        return min(Fraction(one.amount), there), False, 0
    share = there * Fraction(one.percent or 0, 100)
    return (share if one.most is None else min(share, Fraction(one.most))), False, 0


@given(rules, baskets)
def test_worth_is_the_rule_to_the_nearest_cent(one: CouponRule, bought: Basket) -> None:
    found = worth(one, bought)
    left = [Fraction(line.payable) for line in bought.lines]
    off, gift, missing = oracle(one, bought, left)
    assert abs(found.off - off) <= Fraction(1, 2)
    assert (found.gift is not None, found.missing) == (gift, missing)
    assert sum(found.spread) == found.off
    assert all(
        0 <= cut <= line.payable for cut, line in zip(found.spread, bought.lines, strict=True)
    )


@given(st.lists(st.integers(0, 10**9), max_size=8), st.integers(0, 10**9))
def test_spread_is_exact_and_proportional(weights: list[int], wanted: int) -> None:
    total = sum(weights)
    off = min(wanted, total)
    parts = spread(off, weights)
    assert sum(parts) == off
    for part, weight in zip(parts, weights, strict=True):
        assert part <= weight
        assert total == 0 or abs(part - Fraction(off * weight, total)) < 1


@given(st.integers(1, 10**7), st.integers(0, 10**7), st.lists(st.integers(1, 10**6), max_size=6))
def test_returned_in_parts_pays_back_what_was_paid(base: int, off: int, parts: list[int]) -> None:
    off = min(off, base)
    before, paid = 0, 0
    for wanted in [*parts, base]:
        part = min(wanted, base - before)
        paid += (back := paid_back(base, off, before, part))
        assert 0 <= back <= part
        before += part
    assert paid == base - off


def test_partial_return_is_proportional() -> None:
    assert paid_back(30_000, 5_000, 0, 10_000) == 10_000 - 5_000 * 10_000 // 30_000


@given(st.lists(rules, max_size=4), baskets)
def test_best_beats_every_other_choice(some: list[CouponRule], bought: Basket) -> None:
    held = [
        Held(f"k{number}", rule_named(one, f"c{number % 3}"), 1000 - number)
        for number, one in enumerate(some)
    ]
    found = best(held, bought)
    # By trying everything that the rules allow: one alone, or all that go with each other.
    firsts = [
        one
        for one in held
        if not any(
            other.rule.id == one.rule.id
            and (other.valid_to, other.coupon) < (one.valid_to, one.coupon)
            for other in held
        )
    ]
    values = [0]
    values += [worth(one.rule, bought).cost for one in firsts if one.rule.stacking == "alone"]
    order = {"percent_off": 0, "amount_off": 1, "gift": 2}
    friends = [one for one in firsts if one.rule.stacking == "together"]
    for trial in permutations(friends):
        ranks = [(order[one.rule.kind], one.rule.id) for one in trial]
        if ranks == sorted(ranks):
            left = [line.payable for line in bought.lines]
            value = 0
            for one in trial:
                taken = worth(one.rule, bought, left)
                value += taken.cost
                left = [was - cut for was, cut in zip(left, taken.spread, strict=True)]
            values.append(value)
    assert found.value == max(values)
    assert found.off <= sum(line.payable for line in bought.lines)
    named = [used.rule.id for used in found.used]
    assert len(named) == len(set(named))
    assert len(named) <= 1 or all(used.rule.stacking == "together" for used in found.used)


def sooner(one: Held, other: Held) -> bool:
    return (one.valid_to, one.coupon) < (other.valid_to, other.coupon)


def rule_named(one: CouponRule, name: str) -> CouponRule:
    return msgspec.structs.replace(one, id=name)


@pytest.mark.parametrize(("base", "off"), [("before_discounts", 5_000), ("after_discounts", 0)])
def test_threshold_before_or_after_other_discounts_is_declared(base: str, off: int) -> None:
    assert worth(rule(base=base), basket(29_000, discount=1_500)).off == off


def test_whole_cents_reach_a_threshold() -> None:
    assert worth(rule(), basket(9_333, 9_333, 9_334)).off == 5_000


def test_nearly_reached_is_told_in_both_languages() -> None:
    mine = [Holding("k", rule(), 0, 10**13)]
    found = offers(mine, basket(25_500), 1, SHANGHAI, "CNY")
    assert [each.zh for each in found.nearly] == ["再买 25.00 元，立减 50.00 元"]  # noqa: RUF001
    assert [each.en for each in found.nearly] == ["25.00 more and 50.00 off"]
    assert [each.worth.missing for each in found.nearly] == [2_500]
    far = offers(mine, basket(20_000), 1, SHANGHAI, "CNY")
    assert [each.reason for each in far.others] == ["below_threshold"]
    reached = offers(mine, basket(28_000), 1, SHANGHAI, "CNY")
    assert [each.coupon for each in reached.best.used] == ["k"]


def test_words_of_percentages_and_gifts() -> None:
    tea = rule(kind="percent_off", percent=15, most=3_000, threshold=10_000)
    cup = rule(id="g", kind="gift", gift=Gift(sku="CUP"), name=Names(zh="马克杯", en="a mug"))
    mine = [Holding("t", tea, 0, 10**13), Holding("g", cup, 0, 10**13)]
    near = offers(mine, basket(9_000), 1, SHANGHAI, "CNY", nearly_percent=100).nearly
    assert [each.en for each in near] == [
        "10.00 more and 15% off, up to 30.00",
        "190.00 more and a gift: a mug",
    ]
    assert near[0].zh == "再买 10.00 元，享 8.5 折，最多减 30.00 元"  # noqa: RUF001
    usable = offers(mine, basket(28_000), 1, SHANGHAI, "USD").usable
    assert [each.en for each in usable] == ["15% off: 30.00 off", "A gift: a mug"]


def test_what_cannot_be_used_says_why() -> None:
    now, zone = 1_000_000, SHANGHAI
    cases = {
        "not_yet": Holding("k", rule(), now + 1, 10**13),
        "expired": Holding("k", rule(), 0, now),
        "reserved_elsewhere": Holding("k", rule(), 0, 10**13, "other", now + 1),
        "stopped": Holding("k", rule(stopped="all"), 0, 10**13),
        "other_stores": Holding("k", rule(stores=["S2"]), 0, 10**13),
        "budget_money": Holding("k", rule(), 0, 10**13, full="budget_money"),
        "no_goods": Holding("k", rule(only=Goods(skus=["x"])), 0, 10**13),
    }
    for reason, one in cases.items():
        found = offers([one], basket(29_000), now, zone, "CNY", order="mine")
        assert [each.reason for each in found.others] == [reason]
        assert not found.usable
