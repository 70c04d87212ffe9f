"""Refusals at tills and goods out of stock, against counting by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from coupon_case import SECOND, second_audience
from hypothesis import given
from hypothesis import strategies as st

from operators.members.coupons.diagnosis.reasons import Reason, reasons
from operators.members.coupons.diagnosis.shops import (
    Absent,
    Attempt,
    Goods,
    Shelves,
    Shop,
    Span,
    concentrated,
    shelves_of,
    tills_of,
)

BEGIN = dt.datetime(2026, 10, 23, tzinfo=dt.UTC)
HOURS = 48
END = BEGIN + dt.timedelta(hours=HOURS)
SKUS, PLACES = ("A", "B", "G"), ("S1", "S2", "S3")


def hour(number: int) -> dt.datetime:
    return BEGIN + dt.timedelta(hours=number)


def code(found: Sequence[Reason], name: str) -> Reason:
    return next(one for one in found if one.code == name)


def test_friction_is_named_with_its_figures() -> None:
    tried = [Attempt(f"k{n}", f"o{n}", "S1" if n < 30 else "S2", (), True) for n in range(60)]
    tried += [Attempt(f"k{n}", f"x{n}", "S3", ("below_threshold",), n < 5) for n in range(20)]
    tried += [Attempt("k9", "y1", "S1", ("expired", "below_threshold"), False)]
    tills = tills_of(tried, left_out=3)
    assert (tills.attempts, tills.refused, tills.after_all) == (81, 21, 5)
    assert tills.codes == (("below_threshold", 21), ("expired", 1))
    assert tills.shops == (Shop("S3", 20, 20), Shop("S1", 1, 31))
    found = code(reasons(SECOND, second_audience(50), tills=tills), "CASHIER_FRICTION")
    assert found.holds
    assert found.figure == pytest.approx(21 / 81)
    assert found.words == (
        "tills refused it with 21 of 81 orders (26%): below_threshold 21, expired 1; 95% of that "
        "in S3 (20 of 20), of 2 shops with any; 5 used it after all (3 refusals of any coupon were "
        "not told in that time)"
    )
    none = tills_of(tried[:60])
    found = code(reasons(SECOND, second_audience(50), tills=none), "CASHIER_FRICTION")
    assert (found.holds, found.figure) == (False, 0.0)
    assert found.words == "none of 60 orders with it was refused it"


def test_what_is_not_known_is_no_cause_and_no_zero() -> None:
    people = second_audience(50)
    why = Absent("nobody told")
    for found in (reasons(SECOND, people), reasons(SECOND, people, tills=why, shelves=why)):
        for name in ("CASHIER_FRICTION", "GOODS_UNAVAILABLE"):
            one = code(found, name)
            assert (one.figure, one.holds, one.strength) == (None, False, 0.0)
            assert one.words.startswith("not known: n")


_attempts = st.lists(
    st.builds(
        Attempt,
        st.just("k"),
        st.uuids().map(str),
        st.sampled_from(["S1", "S2", "S3", ""]),
        st.lists(st.sampled_from(["expired", "not_yet", "stopped"]), max_size=3).map(tuple),
        st.booleans(),
    ),
    max_size=40,
)


@given(_attempts)
def test_tills_count_orders(tried: list[Attempt]) -> None:
    found = tills_of(tried)
    refused = [one for one in tried if one.codes]
    assert (found.attempts, found.refused) == (len(tried), len(refused))
    assert found.after_all == sum(one.used for one in refused)
    for name, count in found.codes:
        assert count == sum(name in one.codes for one in refused)
    assert sum(one.trouble for one in found.shops) == len(refused)
    for one in found.shops:
        assert one.of == sum(each.store == one.store for each in tried) >= one.trouble > 0
    assert found.words


@given(st.lists(st.integers(1, 50), min_size=1, max_size=9))
def test_trouble_is_said_to_be_in_the_fewest_shops_that_have_half_of_it(sizes: list[int]) -> None:
    sizes = sorted(sizes, reverse=True)
    shops = [Shop(f"S{number}", size, size) for number, size in enumerate(sizes)]
    text = concentrated(shops)
    fewest = next(n for n in range(1, len(sizes) + 1) if 2 * sum(sizes[:n]) >= sum(sizes))
    assert text.count(" of ") == min(fewest, 3) + 2
    assert (f"and {fewest - 3} more" in text) == (fewest > 3)


_pair = st.tuples(st.sampled_from(SKUS), st.sampled_from(PLACES))
_span = st.tuples(st.integers(-5, HOURS + 5), st.integers(0, 30) | st.none())


@given(
    st.sampled_from([("A",), ("A", "B"), ()]),
    st.booleans(),
    st.sets(_pair),
    st.dictionaries(_pair, st.lists(_span, max_size=3)),
    st.lists(st.tuples(st.sampled_from(PLACES), st.integers(0, HOURS - 1)), max_size=30),
)
def test_shelves_are_those_of_a_walk_by_the_hour(
    skus: tuple[str, ...],
    gift: bool,
    sold: set[tuple[str, str]],
    out: dict[tuple[str, str], list[tuple[int, int | None]]],
    visits: list[tuple[str, int]],
) -> None:
    if not skus and not gift:
        return
    goods = Goods(skus, "G" if gift else None)
    spans: dict[tuple[str, str], list[Span]] = {
        pair: [(hour(at), None if many is None else hour(at + many)) for at, many in each]
        for pair, each in out.items()
    }

    def gone(sku: str, place: str, at: int) -> bool:
        its = out.get((sku, place), [])
        return any(first <= at and (many is None or at < first + many) for first, many in its)

    def sells(place: str) -> bool:
        some = not skus or any((sku, place) in sold for sku in skus)
        return some and (not gift or ("G", place) in sold)

    came = [(place, at) for place, at in visits if sells(place)]
    missing = 0
    for place, at in came:
        here = [sku for sku in skus if (sku, place) in sold]
        none = bool(here) and all(gone(sku, place, at) for sku in here)
        missing += none or (gift and gone("G", place, at))
    pairs = [
        (sku, place)
        for place in PLACES
        if sells(place)
        for sku in goods.all
        if (sku, place) in sold
    ]
    found = shelves_of(goods, sold, spans, [(place, hour(at)) for place, at in visits], BEGIN, END)
    if not came:
        assert isinstance(found, Absent)
        return
    assert isinstance(found, Shelves)
    assert (found.visits, found.missing) == (len(came), missing)
    assert sum(one.trouble for one in found.shops) == missing
    hours = sum(gone(*pair, at) for pair in pairs for at in range(HOURS))
    assert found.hours_out == pytest.approx(hours / (len(pairs) * HOURS))
    one = code(reasons(SECOND, second_audience(5), shelves=found), "GOODS_UNAVAILABLE")
    assert one.figure == pytest.approx(missing / len(came))
    assert one.holds == (missing >= 0.1 * len(came))
