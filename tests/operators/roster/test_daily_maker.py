"""One person's days by dynamic programming, against all there are by the independent judge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roster_instances import legal_weeks

from bench.roster.classical_model import daily_problem, days_of
from bench.roster.classical_read import Classical, Staff
from operators.roster.daily import maker as daily_maker
from operators.roster.daily.maker import DailyMaker
from operators.roster.patterns.cover import Priced

DAYS = 7


@st.composite
def instances(draw: st.DrawFn) -> Classical:
    """One person's rules of every kind; two kinds of shifts, of which one may not follow."""
    shifts = ("E", "L")
    shortest = draw(st.integers(1, 3))
    staff = Staff(
        most_of={shift: draw(st.sampled_from((0, 1, 3, DAYS))) for shift in shifts},
        most_minutes=draw(st.integers(480, 3_000)),
        least_minutes=draw(st.integers(0, 1_500)),
        longest_run=draw(st.integers(shortest, 5)),
        shortest_run=shortest,
        shortest_rest=draw(st.integers(1, 3)),
        most_weekends=draw(st.integers(0, 1)),
    )
    requests = st.dictionaries(
        st.tuples(st.just("ann"), st.integers(0, DAYS - 1), st.sampled_from(shifts)),
        st.integers(1, 9),
        max_size=3,
    )
    return Classical(
        "made",
        DAYS,
        {"E": 480, "L": draw(st.sampled_from((480, 600)))},
        {"E": frozenset(), "L": frozenset(draw(st.sampled_from(((), ("E",)))))},
        {"ann": staff},
        {"ann": frozenset(draw(st.sets(st.integers(0, DAYS - 1), max_size=2)))},
        draw(requests),
        draw(requests),
        {(day, shift): (0, 0, 0) for day in range(DAYS) for shift in shifts},
    )


CHARGES = st.lists(st.integers(-9, 9), min_size=2 * DAYS, max_size=2 * DAYS)


def requests_cost(instance: Classical, days: list[str | None]) -> int:
    on = sum(weight * (days[day] != s) for (_, day, s), weight in instance.on.items())
    off = sum(weight * (days[day] == s) for (_, day, s), weight in instance.off.items())
    return on + off


def prices(instance: Classical, charges: list[int]) -> list[float]:
    """What each legal week costs with its charges."""
    rows = list(instance.cover)
    return [
        requests_cost(instance, days)
        + sum(charges[rows.index((day, shift))] for day, shift in enumerate(days) if shift)
        for days in legal_weeks(instance, "ann")
    ]


def best(instance: Classical, charges: list[int]) -> Priced:
    return DailyMaker(daily_problem(instance)).best(0, np.array(charges, dtype=float), 3)


def check_patterns(instance: Classical, charges: list[int], priced: Priced) -> None:
    """Each pattern is legal and costs what it says."""
    legal = legal_weeks(instance, "ann")
    for pattern in priced.patterns:
        days = days_of(instance, [pattern])["ann"]
        assert days in legal
        assert pattern.cost == requests_cost(instance, days)
        assert pattern.cost + np.array(charges)[pattern.rows].sum() >= priced.least


@settings(max_examples=15, deadline=None)
@given(instances(), CHARGES)
def test_the_cheapest_days_are_the_cheapest_of_all_legal_ones(
    instance: Classical, charges: list[int]
) -> None:
    priced = best(instance, charges)
    expected = prices(instance, charges)
    check_patterns(instance, charges, priced)
    if not expected:
        assert priced.patterns == []
        return
    assert priced.least == min(expected)
    first = priced.patterns[0]
    assert first.cost + np.array(charges)[first.rows].sum() == min(expected)


@settings(max_examples=6, deadline=None)
@given(instances(), CHARGES)
def test_limits_kept_by_charges_give_legal_days_and_a_bound(
    instance: Classical, charges: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(daily_maker, "LIMIT_STATES", 1)
        priced = best(instance, charges)
    check_patterns(instance, charges, priced)
    assert priced.least <= min(prices(instance, charges), default=np.inf)
