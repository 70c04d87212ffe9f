"""Figures of members from logs: as one by one, net of refunds, and as known on the day."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.members.health.alive import Parameters
from operators.members.health.history import (
    ENGAGED,
    Histories,
    History,
    Log,
    bought_within,
    histories,
    history,
)
from operators.members.health.terms import TERMS, Ground, terms, terms_many, usual_gap

GROUND = Ground(Parameters(0.5, 40.0, 0.9, 1.6), 25.0)
# member, day of the purchase, days until (part of) it comes back or None, amount, part that comes
_rows = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.integers(0, 120),
        st.none() | st.integers(0, 60),
        st.integers(1, 500),
        st.sampled_from([0.25, 1.0]),
    ),
    max_size=25,
)


def made(rows: list[tuple[int, int, int | None, int, float]]) -> Log:
    facts = [(member, day, day, float(amount)) for member, day, _, amount, _ in rows]
    facts += [
        (member, day + back, day, -amount * part)
        for member, day, back, amount, part in rows
        if back is not None
    ]
    table = np.array(facts, dtype=float).reshape(-1, 4)
    member, day, of = (table[:, at].astype(np.int64) for at in range(3))
    return Log(member, day, of, table[:, 3])


@settings(max_examples=50, deadline=None)
@given(_rows, st.integers(1, 150))
def test_a_log_gives_every_member_what_its_own_days_give(
    rows: list[tuple[int, int, int | None, int, float]], at: int
) -> None:
    members, found = histories(made(rows), at)
    nets: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for member, day, back, amount, part in rows:
        if day < at:
            nets[member][day] += amount
            sums[member][0] += amount
        if back is not None and day + back < at:
            nets[member][day] -= amount * part
            sums[member][1] += amount * part
    expected = {
        member: one
        for member, net in nets.items()
        if (one := history(net.items(), at, returned=sums[member][1] / sums[member][0]))
    }
    assert members.tolist() == sorted(expected)
    for place, member in enumerate(members.tolist()):
        mine, one = found.one(place), expected[member]
        assert np.allclose(list(figures(mine)), list(figures(one)), rtol=1e-9, atol=1e-9)
    if len(members):
        many = terms_many(GROUND, found)
        for place in range(len(members)):
            assert np.allclose(many[place], terms(GROUND, found.one(place)), rtol=1e-9)


def figures(one: History) -> tuple[float, ...]:
    return (one.repeats, one.last, one.age, one.short, one.long, one.engaged, one.returned)


def test_a_refund_leaves_what_never_having_bought_leaves() -> None:
    days = {0.0: 100.0, 10.0: 80.0}
    without = history(days.items(), 30.0)
    assert without == history({**days, 20.0: 300.0 - 300.0}.items(), 30.0)
    assert history([(5.0, 0.0)], 30.0) is None
    assert history([(5.0, 10.0)], 3.0) is None


def test_a_quiet_member_later_is_the_same_as_judged_then() -> None:
    days = [(0.0, 100.0), (12.0, 55.0)]
    now, then = history(days, 20.0, engaged=2.0), history(days, 50.0, engaged=0.0)
    assert now is not None
    assert then is not None
    later = now.after(30.0)
    assert figures(later)[:5] == pytest.approx(figures(then)[:5], rel=1e-12)
    assert later.engaged == pytest.approx(2.0 * 2 ** (-30 / ENGAGED))


def test_engagement_is_decayed_and_only_of_the_past() -> None:
    who, day = np.array([1, 1, 2, 9]), np.array([0, 200, 40, 5])
    member = np.array([1, 3])
    log = Log(member, np.array([0, 0]), np.array([0, 0]), np.array([5.0, 5.0]), (who, day))
    members, found = histories(log, 60)
    assert members.tolist() == [1, 3]
    assert found.engaged.tolist() == [2 ** (-60 / ENGAGED), 0.0]


def test_what_comes_is_counted_in_its_days() -> None:
    member = np.array([1, 2, 3, 4])
    day = np.array([29, 30, 59, 60])
    log = Log(member, day, day, np.ones(4))
    assert bought_within(log, member, 30, 30).tolist() == [0, 1, 1, 0]


def test_the_usual_gap_is_of_those_who_came_back() -> None:
    none, age = np.zeros(2), np.full(2, 90.0)
    found = Histories(np.array([2.0, 0.0]), np.array([60.0, 0.0]), age, none, none, none, none)
    assert usual_gap(found) == 30.0
    assert len(TERMS) == len(terms(GROUND, found.one(0)))
