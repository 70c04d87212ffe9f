"""The clock that counts a shop's lines, in any order and for years."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantom_facts import START

from operators.stock.phantom.trade import TradeClock
from schemas.instants import DAY_US, HOUR_US, MINUTE_US


@given(st.lists(st.integers(0, 120 * 60), min_size=1, max_size=80), st.randoms())
def test_the_clock_counts_lines_by_their_own_time_in_any_order(
    minutes: list[int], rng: Random
) -> None:
    times = [START + minute * MINUTE_US + 1 for minute in minutes]
    clock = TradeClock()
    first = min(times)
    clock.add(first)
    rest = list(times)
    rest.remove(first)
    rng.shuffle(rest)
    for time in rest:
        clock.add(time)
    tip = max(times)
    assert clock.at(tip) == len(times)
    for at in range(first // HOUR_US * HOUR_US, tip, HOUR_US):
        assert clock.at(at) == sum(time <= at for time in times)
    for at in range(max(first, tip - 48 * HOUR_US), tip, 13 * MINUTE_US):
        assert clock.at(at) == sum(time <= at for time in times)
    seen = [clock.at(first + step * 7 * MINUTE_US) for step in range(1_100)]
    assert seen == sorted(seen)


def test_the_clock_forgets_but_its_sum_stays() -> None:
    clock = TradeClock()
    for day in range(0, 400, 2):
        clock.add(START + day * DAY_US)
    assert len(clock.lines) <= 122 * 24
    assert clock.at(clock.tip) == 200
    assert clock.at(clock.tip) - clock.at(clock.tip - 20 * DAY_US) == pytest.approx(10, abs=1)
    assert clock.at(START) == clock.before[0]
    clock.add(START + 4_000 * DAY_US)
    assert clock.at(clock.tip) == 201
    assert clock.at(clock.tip - DAY_US) == 200
    assert len(clock.lines) <= 122 * 24
