"""Rosters of patterns: the bound, the answer and all rosters of a tiny instance."""

from __future__ import annotations

import random
import time
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roster_instances import CLASSICAL, legal_weeks

from bench.roster.classical_judge import judge
from bench.roster.classical_model import daily_problem, days_of
from bench.roster.classical_read import Classical, read_classical
from operators.roster.daily.maker import DailyMaker
from operators.roster.patterns.cover import Cover, Pattern, total
from operators.roster.patterns.generate import Generator
from operators.roster.patterns.search import Found, PatternSearch
from operators.roster.patterns.sizes import Sizes
from operators.roster.patterns.whole import choose


@pytest.fixture
def instance(tmp_path: Path) -> Classical:
    path = tmp_path / "Instance1.txt"
    path.write_text(CLASSICAL, encoding="utf-8")
    return read_classical(path)


def searched(instance: Classical, seconds: float = 1.0) -> tuple[DailyMaker, Found]:
    maker = DailyMaker(daily_problem(instance))
    found = PatternSearch(maker, maker.cover, time.process_time, random.Random(1)).run(seconds)
    assert found is not None
    return maker, found


def test_the_answer_is_the_cheapest_of_all_rosters_and_never_below_the_bound(
    instance: Classical,
) -> None:
    maker, found = searched(instance)
    verdict = judge(instance, days_of(instance, found.patterns))
    assert verdict.broken == []
    assert verdict.cost == found.cost == total(maker.cover, found.patterns)
    names = list(instance.staff)
    costs = [
        judge(instance, dict(zip(names, weeks, strict=True))).cost
        for weeks in product(*(legal_weeks(instance, name) for name in names))
    ]
    assert found.bound is not None
    assert found.bound <= min(costs) == found.cost
    assert [cost for _, cost in found.course][-1] == found.cost


def test_it_ends_where_the_cost_is_enough(instance: Classical) -> None:
    maker = DailyMaker(daily_problem(instance))
    search = PatternSearch(maker, maker.cover, time.process_time, random.Random(1))
    found = search.run(3_600.0, enough=100_000)
    assert found is not None
    assert len(found.course) == 1


def test_somebody_without_legal_shifts_has_no_roster(instance: Classical) -> None:
    instance.days_off["ann"] = frozenset(range(7))
    maker = DailyMaker(daily_problem(instance))
    assert PatternSearch(maker, maker.cover, time.process_time, random.Random(1)).run(1.0) is None


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=3, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.sets(st.integers(0, 2))), min_size=3, max_size=9),
)
def test_the_choice_of_patterns_is_the_cheapest_there_is(
    falls: list[list[int]], drawn: list[tuple[int, set[int]]]
) -> None:
    # Steps that rise: each head saves less, or costs more, than the one before.
    steps = np.sort(np.array(falls) - 5, axis=1)
    cover = Cover(np.hstack([np.full((3, 1), 40), 40 + np.cumsum(steps, axis=1)]))
    patterns = [
        Pattern(person, at, np.array(sorted(rows), dtype=np.intp), None)
        for at, (person, rows) in enumerate(drawn)
    ]
    people = sorted({pattern.person for pattern in patterns})
    mine = [[one for one in patterns if one.person == person] for person in people]
    hint = [ones[0] for ones in mine]
    chosen, proved = choose(cover, patterns, hint, 5.0)
    assert chosen is not None
    assert proved
    assert total(cover, chosen) == min(total(cover, some) for some in product(*mine))


def test_what_is_left_beside_others_costs_with_them_the_same(instance: Classical) -> None:
    maker, found = searched(instance)
    first, then = found.patterns
    assert total(maker.cover.beside([first]), [then]) + first.cost == found.cost


def test_a_part_changes_nothing_outside_its_days(instance: Classical) -> None:
    maker, found = searched(instance)
    free = np.isin(maker.days, (3, 4))
    part = Generator(maker, maker.cover, found.patterns, free)
    relaxed = part.relax(lambda: 10.0)
    assert relaxed is not None
    outside = {
        pattern.person: [row for row in pattern.rows.tolist() if not free[row]]
        for pattern in found.patterns
    }
    for pattern in part.master.patterns:
        there = [row for row in pattern.rows.tolist() if not free[row]]
        assert there == outside[pattern.person]
    assert relaxed.bound <= found.cost


def test_sizes_of_parts_follow_what_they_took() -> None:
    sizes = Sizes(40, 28)
    rng = random.Random(1)
    before = [len(sizes.draw(rng)[0])]
    for _ in range(30):
        sizes.took(0.1, gains=False)
        some, window = sizes.draw(rng)
        assert len(set(some)) == len(some)
        assert 0 <= window.start < window.stop <= 28
        before.append(len(some))
    sizes.took(100.0, gains=True)
    assert max(before) == 40
    assert len(sizes.draw(rng)[0]) <= 40
