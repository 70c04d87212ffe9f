"""Grades from work: shrunk as far as little is known, proposed where it is clear."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.roster.grades import Pace, Scale, Work, _shrunk, paces, proposals


def work(rng: Random, name: str, pace: float, windows: int) -> list[Work]:
    """Quarters of an hour of some orders each; a minute an order, give or take a half."""
    found = []
    for _ in range(windows):
        orders = rng.randint(3, 8)
        service = sum(rng.lognormvariate(0, 0.5) for _ in range(orders))
        service *= 60 / math.exp(0.125) / pace
        found.append(Work(name, "till", orders, service, orders * 60.0))
    return found


def test_who_is_faster_is_found_and_luck_is_not() -> None:
    """A month of five alike, one a quarter faster, and a newcomer with a lucky day."""
    rng = Random(1)
    rows = [one for name in "abcde" for one in work(rng, name, 1.0, 300)]
    rows += work(rng, "fast", 1.28, 300)
    lucky = [one for one in work(rng, "new", 1.0, 200) if one.service < one.expected][:9]
    found = {one.pace.employee: one for one in proposals(paces(rows + lucky), _all(3))}
    assert {name for name, one in found.items() if one.change} == {"fast"}
    assert found["fast"].grade == 5
    assert "99% sure that it is not grade 3: 1.3" in found["fast"].why
    new = found["new"].pace
    assert new.seen > 0.1
    assert abs(new.pace - new.mean) < abs(new.seen - new.mean)
    assert found["new"].grade == 3


def _all(grade: int) -> dict[tuple[str, str], int]:
    names = [*"abcdefghijklmnopqrst", "fast", "new"]
    return {(name, "till"): grade for name in names}


def test_people_alike_are_left_alone() -> None:
    """Twenty who differ by nothing but luck, ten times over: hardly any proposal."""
    wrong = 0
    for seed in range(10):
        rng = Random(seed)
        rows = [one for name in "abcdefghijklmnopqrst" for one in work(rng, name, 1.0, 40)]
        wrong += sum(one.change for one in proposals(paces(rows), _all(3)))
    assert wrong <= 1


def test_shrinking_is_nearer_to_the_truth() -> None:
    """Paces as drawn from a normal: the shrunk ones are nearer to it than those seen."""
    rng = Random(4)
    truth = {f"p{at}": math.exp(rng.gauss(0, 0.1)) for at in range(60)}
    rows = [one for name, pace in truth.items() for one in work(rng, name, pace, 12)]
    found = paces(rows)
    off = [
        sum((getattr(one, how) - math.log(truth[one.employee])) ** 2 for one in found)
        for how in ("seen", "pace")
    ]
    assert off[1] < 0.8 * off[0]


seen = st.floats(-0.5, 0.5, allow_nan=False)


@given(st.lists(st.tuples(seen, st.floats(0.01, 0.5)), min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_between_what_was_seen_and_the_mean(people: list[tuple[float, float]]) -> None:
    """Nobody is moved past the mean, away from it, or to less doubt than there can be."""
    given = [Pace(f"p{at}", "till", 99, 9, x, x, sd, 0) for at, (x, sd) in enumerate(people)]
    for before, after in zip(given, _shrunk(given), strict=True):
        low, high = sorted((before.seen, after.mean))
        assert low - 1e-9 <= after.pace <= high + 1e-9
        assert after.sd <= before.sd
    # The less is known of somebody, the nearer to the mean.
    kept = sorted(
        (before.sd, abs(after.pace - after.mean) / abs(before.seen - after.mean))
        for before, after in zip(given, _shrunk(given), strict=True)
        if abs(before.seen - after.mean) > 1e-6
    )
    assert all(a[1] >= b[1] - 1e-6 for a, b in pairwise(kept))


def test_equal_doubts_shrink_as_james_and_stein() -> None:
    """With one variance for all, the share that is kept is 1 - (n - 1) v / sum of squares."""
    values = [-0.3, -0.1, 0.0, 0.2, 0.4]
    given = [Pace(str(at), "till", 99, 9, x, x, 0.1, 0) for at, x in enumerate(values)]
    mean = sum(values) / 5
    keep = 1 - 4 * 0.01 / sum((x - mean) ** 2 for x in values)
    for value, one in zip(values, _shrunk(given), strict=True):
        assert one.pace == pytest.approx(mean + keep * (value - mean))
        assert one.sd == pytest.approx(math.sqrt(keep) * 0.1)


def test_little_work_is_not_judged() -> None:
    assert paces(work(Random(1), "a", 1.0, 5)) == []
    assert paces([Work("a", "till", 0, 0.0, 60.0)] * 50) == []


def test_grades_are_a_scale() -> None:
    """Each grade's paces give that grade; the ends are open."""
    scale = Scale(3, 0.1)
    for grade in range(11):
        low, high = scale.edges(grade)
        inside = (max(low, -2) + min(high, 2)) / 2
        assert scale.grade(inside) == grade
    assert (scale.grade(-9), scale.grade(9)) == (0, 10)
