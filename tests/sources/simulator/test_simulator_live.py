"""A simulated chain in real time, with a clock that the test moves."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instants import to_micros
from sources.simulator import settings_from, simulate
from sources.simulator.instants import HOUR_MS
from sources.simulator.live import LivePlay, Pace

START_US = 1_790_000_000_000_000


class Clock:
    """Time passes when somebody sleeps."""

    def __init__(self) -> None:
        self.us = START_US
        self.slept = 0.0

    def now(self) -> int:
        return self.us

    def sleep(self, seconds: float) -> None:
        self.us += round(seconds * 1_000_000)
        self.slept += seconds


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.floats(0.1, 5_000)), max_size=5),
    st.lists(st.integers(-(10**6), 10**7), min_size=2, max_size=20, unique=True),
)
def test_a_pace_never_turns_back(changes: list[tuple[int, float]], instants: list[int]) -> None:
    pace = Pace(0, START_US, 60.0)
    pace.resume(START_US + 5_000_000)
    at_ms = 0
    for gap_ms, speed in changes:
        at_ms += gap_ms
        pace.change(at_ms, speed)
    real = [pace.real_us(each) for each in sorted(instants)]
    # Only a rounding of half a microsecond may bring neighbours together, and never swap them.
    assert all(later >= earlier for earlier, later in pairwise(real))
    apart = [pace.real_us(2 * each) for each in sorted(instants)]
    assert all(later > earlier for earlier, later in pairwise(apart))


def play(minutes: float, **how: Any) -> tuple[LivePlay, Clock, list[tuple[int, int, int]]]:
    simulation = simulate(settings_from("tea", stores=2, skus=20, days=1, seed=3))
    clock = Clock()
    begin_ms = simulation.world.start_ms + 10 * HOUR_MS
    ready: list[int] = []

    def opened() -> None:
        ready.append(clock.us)
        clock.sleep(3.0)

    live = LivePlay(
        simulation,
        begin_ms,
        minutes=minutes,
        ready=opened,
        now_us=clock.now,
        sleep=clock.sleep,
        **how,
    )
    seen = [(one.arrival_ms, to_micros(one.event.time), clock.us) for one in live]
    assert ready == [START_US], "asked once, when all that comes at once had come"
    assert simulation.truth.rows["recorded"], "the truth is there when the play is over"
    return live, clock, seen


def test_events_carry_real_times_and_come_when_they_are_due() -> None:
    live, clock, seen = play(5.0, speed=60.0)
    begin_us = START_US + 3_000_000
    assert clock.us == pytest.approx(begin_us + 300_000_000, abs=200_000)
    assert all(happened <= now for _, happened, now in seen), "nothing is sent before it happened"
    due = [(arrival, now) for arrival, _, now in seen if live.pace.real_us(arrival) > begin_us]
    in_time = [now - live.pace.real_us(arrival) for arrival, now in due if now < clock.us]
    assert in_time
    assert all(0 <= late < 1_000 for late in in_time)
    # Five minutes at sixty times real time are five hours of trade.
    fresh = [happened for _, happened, now in seen if now > begin_us]
    assert max(fresh) - min(fresh) > 250_000_000


def test_the_order_of_what_happened_is_kept() -> None:
    settings = settings_from("tea", stores=2, skus=20, days=1, seed=3)
    plain = [one for one in simulate(settings) if one.event.type == "stock.movement.v1"]
    order = {one.event.id + one.event.source: one.event.time for one in plain}
    simulation = simulate(settings)
    clock = Clock()
    live = LivePlay(
        simulation, simulation.world.start_ms, speed=1_000.0, now_us=clock.now, sleep=clock.sleep
    )
    real = {one.event.id + one.event.source: one.event.time for one in live if one.event.id}
    ids = sorted(order, key=lambda each: order[each])
    for earlier, later in pairwise(ids):
        assert real[earlier] <= real[later]
        assert (order[earlier] == order[later]) == (real[earlier] == real[later])


def test_a_rate_is_kept() -> None:
    live, clock, seen = play(2.0, rate=20.0, speed=10.0)
    steady = [now for _, _, now in seen if START_US + 60_000_000 < now < clock.us]
    seconds = (steady[-1] - steady[0]) / 1_000_000
    assert len(steady) / seconds == pytest.approx(20.0, rel=0.4)
    assert live.pace.speed > 10.0
