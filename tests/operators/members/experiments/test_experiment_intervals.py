"""The study's check values, exact sums, variance reduction, and how often A/A finds a winner."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.members.experiments.moments import Moments, moments
from operators.members.experiments.ratio import ratio
from operators.members.experiments.sequence import (
    cuped,
    difference,
    half_width,
    half_widths,
    members_needed,
    tuning,
)

LOOKS, RUNS, MEMBERS = 20, 2_000, 10_000


def test_check_values_of_the_study() -> None:
    assert tuning(0.05, 5_000) == pytest.approx(0.03984007, abs=5e-9)
    for n, half in ((1_000, 0.10637547), (5_000, 0.04292434), (20_000, 0.02211204)):
        assert half_width(n, 1.0) == pytest.approx(half, abs=5e-9)
    needed = [members_needed(a, b) for a, b in ((0.05, 0.06), (0.10, 0.12), (0.05, 0.10))]
    assert needed == [8_143, 3_835, 424]
    with pytest.raises(ValueError, match="must differ"):
        members_needed(0.1, 0.1)


@pytest.mark.parametrize("rate", [0.1, 0.02])
def test_e5_a_a_with_20_looks_has_few_false_winners(rate: float) -> None:
    """The ordinary interval, looked at as often, is wrong for a quarter of the same runs."""
    draws = np.random.default_rng(5)
    part = MEMBERS // 2 // LOOKS
    n = part * np.arange(1, LOOKS + 1, dtype=float)
    bought = draws.binomial(part, rate, (2, RUNS, LOOKS)).cumsum(axis=2)
    mean = bought / n
    variance = mean * (1 - mean) * n / (n - 1)
    both = 2 * n * (variance[0] + variance[1]) / n
    apart = np.abs(mean[1] - mean[0])
    ours = (apart > half_widths(2 * n, both, 0.05, 5_000)).any(axis=1).mean()
    ordinary = (apart > 1.96 * np.sqrt(both / (2 * n))).any(axis=1).mean()
    assert ours <= 0.05
    assert ordinary > 0.2


def test_a_a_with_skewed_spend_has_few_false_winners() -> None:
    """One in ten buys, for sums as uneven as those of shops."""
    draws = np.random.default_rng(6)
    part, runs = 100, 500
    spend = draws.lognormal(4, 1, (2, runs, LOOKS, part)) * (
        draws.random((2, runs, LOOKS, part)) < 0.1
    )
    n = part * np.arange(1, LOOKS + 1, dtype=float)
    sums, squares = spend.sum(3).cumsum(2), (spend**2).sum(3).cumsum(2)
    variance = (squares - sums**2 / n) / (n - 1)
    apart = np.abs(sums[1] - sums[0]) / n
    false = apart > half_widths(2 * n, 2 * (variance[0] + variance[1]), 0.05, 2_000)
    assert false.any(axis=1).mean() <= 0.05


def test_the_interval_of_arms_is_the_one_that_was_simulated() -> None:
    arm, control = moments([1] * 60 + [0] * 440), moments([1] * 50 + [0] * 450)
    found = difference(arm, control)
    n, variances = 1_000, (arm.variance / 500 + control.variance / 500)
    assert found.high - found.value == pytest.approx(half_width(n, n * variances))
    assert found.value == pytest.approx(0.02)
    once = difference(arm, control, once=True)
    assert once.high - once.value == pytest.approx(1.959964 * math.sqrt(variances), rel=1e-6)
    assert not difference(moments([1]), control).clear  # one member has no variance


def test_cuped_takes_away_what_was_there_before() -> None:
    """With a correlation of 0.8, 64% of the variance; the effect stays where it was."""
    draws = np.random.default_rng(7)
    before = draws.normal(100, 20, (2, 4_000))
    after = 0.8 * before + draws.normal(0, 12, (2, 4_000))
    after[1] += 2.0
    control, arm = (moments(after[k].tolist(), before[k].tolist()) for k in range(2))
    theta = cuped([control, arm])
    assert theta == pytest.approx(0.8, abs=0.02)
    plain, reduced = difference(arm, control), difference(arm, control, theta=theta)
    assert reduced.reduced == pytest.approx(0.64, abs=0.03)
    assert reduced.low < 2.0 < reduced.high
    assert reduced.high - reduced.low < 0.65 * (plain.high - plain.low)
    assert cuped([moments([1, 2, 3])]) == 0.0  # nothing known before, nothing taken away


_amounts = st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 10**9)), max_size=20)


@settings(max_examples=40, deadline=None)
@given(_amounts, _amounts)
def test_sums_are_exact_and_can_be_undone(
    one: list[tuple[int, int]], two: list[tuple[int, int]]
) -> None:
    def of(facts: list[tuple[int, int]]) -> Moments:
        return moments([y for y, _ in facts], [x for _, x in facts])

    assert of(one) + of(two) == of(one + two)
    whole = of(one + two)
    for y, x in two:
        whole.take_out(y, x)
    assert whole == of(one)
    values = [y for y, _ in one]
    if len(values) > 1:
        assert whole.variance == pytest.approx(float(np.var(values, ddof=1)), rel=1e-9)


def test_e3_a_split_of_5000_to_5350_is_flagged() -> None:
    halves = {"A": 5_000, "B": 5_000}
    found = ratio([({"A": 5_000, "B": 5_350}, halves)])
    assert found.p == pytest.approx(0.000581, abs=5e-7)
    assert found.alarm
    near = ratio([({"A": 5_000, "B": 5_150}, halves)])
    assert near.p == pytest.approx(0.1365, abs=5e-5)
    assert not near.alarm
    third = ratio([({"A": 5_000, "B": 5_350, "C": 0}, {**halves, "C": 0})])
    assert (third.p, third.p_always) == (found.p, found.p_always)
    assert ratio([({"A": 50, "B": 50, "C": 1}, {**halves, "C": 0})]).alarm


def test_e4_phases_are_judged_apart() -> None:
    first = ({"A": 9_000, "B": 1_000}, {"A": 9_000, "B": 1_000})
    second = ({"A": 5_000, "B": 5_000}, {"A": 5_000, "B": 5_000})
    assert not ratio([first, second]).alarm
    together = {"A": 14_000, "B": 6_000}
    assert ratio([(together, second[1])]).alarm
    assert ratio([({}, second[1])]).p == 1.0


def test_the_ratio_bears_being_looked_at() -> None:
    """20 looks at true halves: few alarms of both tests together; 3% too many is soon found."""
    draws = np.random.default_rng(8)

    def alarms(share: float, runs: int) -> float:
        counts = draws.binomial(1_000, share, (runs, LOOKS)).cumsum(axis=1)
        seen = 1_000 * np.arange(1, LOOKS + 1)
        halves = {"A": 5_000, "B": 5_000}
        return float(
            np.mean(
                [
                    any(
                        ratio([({"A": int(a), "B": int(n - a)}, halves)]).alarm
                        for a, n in zip(row, seen, strict=True)
                    )
                    for row in counts
                ]
            )
        )

    assert alarms(0.5, 300) <= 0.02
    assert alarms(0.53, 30) >= 0.9
