"""The coupon file: what is wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from coupon_desks import COUPONS

from schemas.coupons_file import CouponsProblem, load_coupons, read_coupons
from schemas.money import money_words


def test_the_example_is_one() -> None:
    found = load_coupons(Path(__file__).parents[2] / "docs" / "examples" / "coupons.yaml")
    assert [rule.kind for rule in found.coupons[:3]] == ["amount_off", "percent_off", "gift"]


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(CouponsProblem, match=r"none\.yaml cannot be read: No such file"):
        load_coupons(tmp_path / "none.yaml")


def test_a_file_is_read() -> None:
    found = read_coupons(COUPONS)
    assert [rule.id for rule in found.coupons] == ["c280-50", "tea-20", "cup"]
    assert [rule.most_off for rule in found.coupons] == [5000, 3000, 1900]
    assert found.rule("cup") is found.coupons[2]
    assert found.rule("mug") is None


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("threshold: 28000", "treshold: 28000", r"line 8: .*no setting treshold.*threshold\?"),
        (
            "amount: 5000",
            "amount: 50.5",
            r"line 9: coupons\[1\].amount: Expected .*`float`",
        ),
        ("amount: 5000", "amount: 29000", r"line 9: .*CNY 290.00 off is more than.*CNY 280.00"),
        ("amount: 5000", "percent: 20", "line 7: .*amount_off needs `amount`"),
        ("    per_member: 3", "    percent: 3", "line 12: .*amount_off has no `percent`"),
        ("valid: {days: 5}", "valid: {first: 2026-11-27}", "line 10: .*either first and last"),
        (
            "valid: {days: 5}",
            "valid: {first: 2026-11-27, last: 2026-11-26}",
            "line 10: .*2026-11-26 is before 2026-11-27",
        ),
        (
            "valid: {days: 5}",
            "valid: {first: 2026-11-23, last: 2026-11-26}\n    weekdays: [fri, sat]",
            "line 11: .*no fri, sat lies between",
        ),
        ("budget: {money: 500000}", "budget: {}", "line 20: .*at least one of issued"),
        ("money: 500000", "money: 2000", "line 20: .*CNY 20.00 do not pay for one coupon"),
        ("    most: 3000\n", "", "line 17: .*say by `most`"),
        ("id: tea-20", "id: c280-50", "line 14: .*two coupons with the id c280-50"),
        ("stores: [S001, S002]", "stores: []", "line 32: .*valid nowhere"),
        ("only: {categories: [tea]}", "hours: 10:00-10:00", "line 21: .*begin and end"),
        ("Asia/Shanghai", "Asia/Beijing", "line 3: timezone: there is no time zone"),
        ("coupons:\n", "coupons: []\nothers:\n", "at least 1"),
        ("kind: gift", "kind: present", "line 26: .*Invalid enum value 'present'"),
        ("version: 1", "version: [1", "no YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(before: str, after: str, told: str) -> None:
    assert before in COUPONS
    with pytest.raises(CouponsProblem, match=told):
        read_coupons(COUPONS.replace(before, after, 1))


def test_goods_in_both_lists_are_refused() -> None:
    text = COUPONS.replace(
        "only: {categories: [tea]}", "only: {skus: [a]}\n    without: {skus: [a]}"
    )
    with pytest.raises(CouponsProblem, match=r"line 22: .*a is in `only` and in `without`"):
        read_coupons(text)


def test_budget_and_name_are_no_promise() -> None:
    first = read_coupons(COUPONS).coupons[0]
    cheaper = read_coupons(COUPONS.replace("issued: 1000", "issued: 10")).coupons[0]
    other = read_coupons(COUPONS.replace("threshold: 28000", "threshold: 27000")).coupons[0]
    assert first.terms == cheaper.terms != other.terms


def test_money_in_words() -> None:
    assert money_words(5, "CNY", "zh") == "0.05 元"
    assert money_words(-1234, "EUR") == "EUR -12.34"
    assert money_words(500, "JPY") == "JPY 500"
