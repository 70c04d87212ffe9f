"""The simulated counters against Erlang's formulas, and the same customers for every roster."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from operators.roster.compare.shop import shop_week
from operators.roster.compare.simulate import Customer, Served, Service, customers, serve
from operators.roster.compare.week import crowd_of
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
    truth = shop_week(draws("shop"), 8, 2).truth
    first = crowd_of(draws, truth)
    draws("search").sample(range(100), 50)
    assert crowd_of(draws, truth) == first
    assert crowd_of(of_seed(2), truth) != first
    only = {key: counts for key, counts in truth.items() if key[1] == 1}
    assert crowd_of(draws, only) == {key: day for key, day in first.items() if key[1] == 1}
