"""What journeys give, held against the file of coupons: every mistake with its line."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from depth import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from journey_driver import chain_of, journey

from operators.coupons.valid import end_of_day, window
from operators.journeys.compile import read_journey
from operators.journeys.findings import Finding
from operators.journeys.gift_lint import lint_gifts
from schemas.coupons import CouponBook, Validity
from schemas.coupons_file import load_coupons, read_coupons

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
TODAY = date(2026, 11, 23)
BOOK = read_coupons(
    """\
version: 1
coupons:
  - {id: mug, name: {zh: 杯, en: a mug}, kind: amount_off, amount: 1000, valid: {days: 5},
     budget: {issued: 9}, per_member: 3}
  - {id: tea, name: {zh: 茶, en: tea}, kind: amount_off, amount: 1000, budget: {issued: 9},
     valid: {first: 2026-11-20, last: 2026-11-26}}
  - {id: old, name: {zh: 旧, en: old}, kind: amount_off, amount: 1000, budget: {issued: 9},
     valid: {first: 2026-11-01, last: 2026-11-22}}
  - {id: new, name: {zh: 新, en: new}, kind: amount_off, amount: 1000, budget: {issued: 9},
     valid: {first: 2026-12-01, last: 2026-12-31}}
  - {id: out, name: {zh: 停, en: out}, kind: amount_off, amount: 1000, valid: {days: 90},
     budget: {issued: 9}, stopped: issue}
"""
)


def found(book: CouponBook, *steps: str, today: date = TODAY, **more: str) -> list[Finding]:
    """What is said of the gifts alone."""
    text = journey("x", "{event: purchase}", *steps, **more)
    read = read_journey(text, "x.yaml", chain_of())
    assert read.program is not None, read.source.findings
    before = len(read.source.findings)
    lint_gifts([read], book, "coupons.yaml", today)
    return read.source.findings[before:]


@pytest.mark.parametrize(
    ("step", "level", "code", "en", "zh"),
    [
        ("{give: muk}", "error", "no_coupon", "did you mean mug?", "是否想写 mug"),
        ("{give: zzzz}", "error", "no_coupon", "no coupon zzzz;", "没有券 zzzz"),
        ("{give: old, valid: 1d}", "error", "coupon_over", "over since 2026-11-22", "已于"),
        ("{give: out}", "warning", "coupon_stopped", "no more are issued", "已停发"),
        ("{give: mug, valid: 6d}", "warning", "coupon_shorter", "over after 5", "只有 5 天"),
        ("{give: tea, valid: 5d}", "warning", "coupon_shorter", "it has 4 left", "只剩 4 天"),
        ("{give: new, valid: 8d}", "warning", "coupon_later", "begins on 2026-12-01", "起可用"),
    ],
)
def test_what_does_not_fit_is_said_at_its_line(
    step: str, level: str, code: str, en: str, zh: str
) -> None:
    # The journey's name and trigger, and a step before it.
    [one] = found(BOOK, "wait: 1d", step)
    assert (one.line, one.level, one.code) == (5, level, code)
    assert en in one.said.en
    assert zh in one.said.zh


@pytest.mark.parametrize(
    "step",
    [
        "{give: mug}",
        "{give: mug, valid: 5d}",
        "{give: mug, valid: 100h}",
        "{give: tea, valid: 4d}",
        "{give: new, valid: 9d}",
        "set: {tier: VIP}",
    ],
)
def test_what_fits_is_not_said(step: str) -> None:
    assert found(BOOK, step) == []


def test_the_line_is_that_of_the_part() -> None:
    [one] = found(BOOK, "if: {spent: '>=1'}\n    then:\n      - give: mug\n        valid: 9d")
    assert one.line == 7


def test_who_may_come_in_again_gets_no_second_one() -> None:
    once = msgspec.structs.replace(
        BOOK, coupons=tuple(msgspec.structs.replace(one, per_member=1) for one in BOOK.coupons)
    )
    for reenter, codes in (("never", []), ("always", ["coupon_once"])):
        assert [one.code for one in found(once, "{give: mug}", reenter=reenter)] == codes
    [again] = found(once, "{give: mug}", reenter="{once_per: 90d}")
    assert again.level == "warning"


@given(
    today=st.dates(date(2026, 3, 1), date(2026, 12, 1)),
    promised=st.integers(1, 400),
    own=st.integers(1, 400) | st.tuples(st.integers(-60, 60), st.integers(0, 400)),
)
@settings(max_examples=cases(100, 3000))
def test_a_coupon_is_short_where_the_desk_ends_it_before(
    today: date, promised: int, own: int | tuple[int, int]
) -> None:
    """The desk itself says when one that is given today begins and ends."""
    if isinstance(own, int):
        valid = Validity(days=own)
    else:
        first = today + timedelta(days=own[0])
        valid = Validity(first=first, last=first + timedelta(days=own[1]))
    rule = msgspec.structs.replace(BOOK.coupons[0], valid=valid)
    zone = ZoneInfo("Europe/Berlin")
    book = msgspec.structs.replace(BOOK, coupons=(rule,), timezone=zone.key)
    noon = round(datetime.combine(today, time(12), zone).timestamp() * 1000)
    begin, end = window(rule, noon, zone)
    last = datetime.combine(today + timedelta(days=promised - 1), time(12), zone)
    until = end_of_day(round(last.timestamp() * 1000), zone)
    if end <= noon:
        wanted = ["coupon_over"]
    elif end < until:
        wanted = ["coupon_shorter"]
    elif begin >= until:
        wanted = ["coupon_later"]
    else:
        wanted = []
    said = found(book, f"{{give: mug, valid: {promised}d}}", today=today)
    assert [one.code for one in said] == wanted


def test_the_examples_fit_each_other() -> None:
    book = load_coupons(EXAMPLES / "coupons.yaml")
    gifts = 0
    for path in sorted((EXAMPLES / "journeys").glob("*.yaml")):
        read = read_journey(path.read_text("utf-8"), path.name, chain_of())
        assert read.program is not None
        before = list(read.source.findings)
        lint_gifts([read], book, "coupons.yaml", TODAY)
        assert read.source.findings == before
        gifts += sum(getattr(node, "gift", None) is not None for node in read.program.nodes)
    assert gifts == 4
