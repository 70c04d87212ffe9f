"""The simulated counters against Erlang's formulas, and the same customers for every roster."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from queue_simulation import simulate

from operators.roster.compare.scenario import OPEN_SLOTS, RUSH
from operators.roster.compare.shop import shop_week
from operators.roster.compare.simulate import Customer, Served, Service, customers, serve
from operators.roster.compare.week import crowd_of
from operators.roster.need.carry import follow
from operators.roster.need.erlang import Queue, balance

QUARTER = 900.0


def of_seed(seed: int) -> Callable[[str], random.Random]:
    return lambda purpose: random.Random(f"{seed} {purpose}")


@pytest.mark.parametrize("patience_s", [0.0, 240.0])
def test_a_constant_load_waits_as_erlang_says(patience_s: float) -> None:
    """Erlang C without, Erlang A with limited patience; a day so long that its begin is nothing."""
    expected = 20.0
    day = customers(random.Random(5), [expected] * 4_000, Service(90.0, 1.0, patience_s))
    found = Served()
    serve(day, [3] * 4_000, found)
    leaving = 1 / patience_s if patience_s else 0.0
    formula = balance(Queue(expected / QUARTER, 1 / 90, leaving), 3)
    assert found.came == len(day)
    assert sum(found.waits) / found.came == pytest.approx(formula.wait_s, rel=0.06)
    assert found.lost / found.came == pytest.approx(formula.left, rel=0.06)


def test_rushes_that_two_heads_cannot_serve_wait_as_the_markov_process_says() -> None:
    """A day of the busy shops, overloaded twice: what one quarter leaves is there in the next.

    The distribution of how many are there is carried forward by uniformization, without any draw.
    """
    counts = [0.75 * 2 * RUSH.profile(quarter) * QUARTER / 180 for quarter in range(OPEN_SLOTS)]
    queues = [Queue(count / QUARTER, 1 / 180, 1 / 3_600) for count in counts]
    assert max(queue.load for queue in queues) > 1.8 * 2
    intervals = follow(queues, [2] * OPEN_SLOTS, QUARTER)
    # Little's law needs the waiting, not the wait: seconds waited in a day by those who came.
    waited = sum(one.queue * QUARTER for one in intervals)
    rng = random.Random(7)
    found = Served()
    for _ in range(300):
        serve(customers(rng, counts, Service(180.0, 1.0, 3_600.0)), [2] * OPEN_SLOTS, found)
    assert found.came / 300 == pytest.approx(sum(counts), rel=0.02)
    # Those still there at closing wait on in the simulation: few, but more than none.
    assert sum(found.waits) / 300 == pytest.approx(waited, rel=0.05)
    assert found.lost / 300 == pytest.approx(sum(one.left for one in intervals), rel=0.05)
    assert sum(found.waits) / found.came > 360


@pytest.mark.parametrize("patience_s", [math.inf, 1_000.0])
def test_an_hour_of_overload_by_reckoning(patience_s: float) -> None:
    """Customers every 5 s, 12 heads, services of 90 s: each round of twelve waits 30 s more.

    Twelve are begun every 90 s and come every 60 s. Who gives up has waited for their patience, and
    those behind wait less: from then on as many are served as can be, twelve in 90 s.
    """
    day = [Customer(5.0 * at, 90.0, patience_s) for at in range(720)]
    found = Served()
    serve(day, [12] * 12, found)
    assert found.came == 720
    if math.isinf(patience_s):
        assert sorted(found.waits) == [30.0 * (at // 12) for at in range(720)]
        assert found.lost == 0
    else:
        assert max(found.waits) == patience_s
        # The waits reach 990 s with the 34th round, after 33 x 60 s: until the last comes after
        # 3,600 s 12 are served in 90 s, and then those who are still within their patience.
        assert found.lost == pytest.approx((3_600 - 33 * 60) * (1 / 5 - 12 / 90), abs=12)


def test_staff_that_changes_in_a_rush_as_in_an_independent_simulation() -> None:
    """Lognormal services, patience, heads that come and go, one after the other overloaded."""
    counts = [0.8 * 3 * RUSH.profile(quarter) * QUARTER / 180 for quarter in range(OPEN_SLOTS)]
    heads = [2] * 8 + [5] * 16 + [2] * 8 + [4] * 16
    ours, rng = Served(), random.Random(11)
    for _ in range(150):
        serve(customers(rng, counts, Service(180.0, 0.7, 2_700.0)), heads, ours)
    spread = math.log(1 + 0.7**2)
    other, tallies = random.Random(12), None
    for _ in range(150):
        tallies = simulate(
            other,
            [count / QUARTER for count in counts],
            heads,
            QUARTER,
            lambda: other.lognormvariate(math.log(180.0) - spread / 2, math.sqrt(spread)),
            lambda: other.expovariate(1 / 2_700.0),
            tallies=tallies,
        )
    assert tallies is not None
    waited = sum(one.waited_s for one in tallies)
    came = sum(one.came for one in tallies)
    assert ours.came == pytest.approx(came, rel=0.02)
    assert sum(ours.waits) / ours.came == pytest.approx(waited / came, rel=0.07)
    assert ours.lost == pytest.approx(sum(one.left for one in tallies), rel=0.07)


def test_service_times_have_the_mean_and_spread_asked_for() -> None:
    day = customers(random.Random(2), [5_000.0], Service(90.0, 0.7, 600.0))
    mean = sum(one.service for one in day) / len(day)
    spread = (sum((one.service - mean) ** 2 for one in day) / len(day)) ** 0.5
    assert mean == pytest.approx(90, rel=0.05)
    assert spread / mean == pytest.approx(0.7, rel=0.1)
    assert all(0 <= one.comes < QUARTER for one in day)


def test_by_hand_reckoned_customers() -> None:
    """Two heads, then none: who is served is served to the end, the rest give up."""
    day = [
        Customer(0.0, 1_000.0, 50.0),
        Customer(1.0, 100.0, 50.0),
        Customer(10.0, 5.0, 200.0),
        Customer(20.0, 5.0, 30.0),
        Customer(890.0, 5.0, 300.0),
        Customer(895.0, 400.0, 300.0),
        Customer(950.0, 5.0, 120.0),
        Customer(960.0, 10.0, 900.0),
    ]
    found = Served()
    serve(day, [2, 0, 1], found)
    # The third waits for the second (until 101); the fourth has left at 50. The fifth and the sixth
    # find a head; the seventh gives up; the last is served when there is a head again, at 1800.
    assert found.waits == [0.0, 0.0, 91.0, 30.0, 0.0, 0.0, 120.0, 840.0]
    assert found.lost == 2


def test_who_finds_nobody_all_day_is_lost() -> None:
    found = Served()
    serve([Customer(5.0, 10.0, 60.0)], [0, 0], found)
    assert (found.waits, found.lost) == ([60.0], 1)


def test_customers_follow_from_the_seed_alone() -> None:
    """Whatever was drawn for other purposes: all ways of one week meet the same customers."""
    draws = of_seed(1)
    truth = shop_week(RUSH, draws("shop"), 8, 2).truth
    first = crowd_of(RUSH, draws, truth)
    draws("search").sample(range(100), 50)
    assert crowd_of(RUSH, draws, truth) == first
    assert crowd_of(RUSH, of_seed(2), truth) != first
    only = {key: counts for key, counts in truth.items() if key[1] == 1}
    assert crowd_of(RUSH, draws, only) == {key: day for key, day in first.items() if key[1] == 1}
