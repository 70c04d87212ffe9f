"""The manager's ways to find heads: by thumb from the till's records, by goal from the usual."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.roster.compare.habits import (
    AT_WORK,
    HABIT,
    Services,
    by_thumb,
    heads_by_goal,
    heads_by_rushes,
    heads_by_thumb,
    productivity,
)
from operators.roster.compare.scenario import AMPLE, BY_GOAL, RUSH
from operators.roster.compare.shop import past_weeks, shop_week
from operators.roster.compare.week import planned_heads, services
from operators.roster.need.erlang import Queue, balance
from operators.roster.need.heads import Goal

GOAL = Goal(share=0.9, within_s=180.0)
WEEK = tuple(range(7))
SERVED: Services = {"till": (90.0, 600.0, GOAL), "making": (180.0, 900.0, GOAL)}
orders = st.integers(0, 500)


def of_seed(seed: int) -> Callable[[str], random.Random]:
    return lambda purpose: random.Random(f"{seed} {purpose}")


def test_orders_by_productivity_rounded_up_plus_one() -> None:
    assert by_thumb(60.0, 25.0) == 4
    assert by_thumb(50.0, 25.0) == 3
    assert by_thumb(50.1, 25.0) == 4
    assert by_thumb(0.0, 25.0) == HABIT


@given(orders, orders, st.integers(1, 100))
def test_more_orders_never_fewer_heads_and_one_to_spare(one: int, more: int, each: int) -> None:
    heads = by_thumb(one, each)
    assert by_thumb(one + more, each) >= heads
    # With one head less all of an average hour's orders can still be done.
    assert heads == HABIT or (heads - 2) * each < one <= (heads - 1) * each
    assert heads >= max(HABIT, math.ceil(Fraction(one, each)) + 1)


def test_productivity_is_the_watch_less_the_allowance() -> None:
    # Of three orders two take 90 s and one takes 180 s: 120 s each, 30 an hour.
    usual = {("till", 0): (4.0, 4.0), ("making", 0): (2.0, 2.0)}
    assert productivity(usual, SERVED) == pytest.approx(30 * AT_WORK)


def test_all_weekdays_are_alike_and_so_is_the_weekend() -> None:
    """Averages over Mondays to Fridays: a busy Friday does not get more than a quiet Monday."""
    usual = {
        (task, day): (level * (1 + day), level * (1 + day), 2 * level, 2 * level)
        for task, level in (("till", 8.0), ("making", 4.0))
        for day in WEEK
    }
    heads = heads_by_thumb(usual, SERVED, WEEK)
    assert {heads[day, False] for day in range(5)} == {heads[0, False]}
    assert heads[5, False] == heads[6, False]
    # Early: 12 a quarter times the mean of 1 to 5 is 144 an hour; 30 times the allowance by each.
    assert heads[0, False] == math.ceil(144 / (30 * AT_WORK)) + 1
    assert heads[5, False] == math.ceil(312 / (30 * AT_WORK)) + 1
    assert heads[0, True] == heads[6, True] == math.ceil(96 / (30 * AT_WORK)) + 1
    only = {key: counts for key, counts in usual.items() if key[1] < 2}
    assert set(heads_by_thumb(only, SERVED, (0, 1))) == {
        (day, late) for day in (0, 1) for late in (False, True)
    }


@given(st.lists(st.floats(0, 30), min_size=2, max_size=2))
def test_by_goal_keeps_the_goal_at_the_mean_with_the_fewest(levels: list[float]) -> None:
    early, late = levels
    usual = {("till", 0): (early, early, late, late)}
    found = heads_by_goal(usual, {"till": SERVED["till"]}, (0,))
    for half, level in ((False, early), (True, late)):
        heads = found[0, half]
        queue = Queue(level / 900, 1 / 90, 1 / 600)
        assert heads >= HABIT
        assert balance(queue, heads, 180).within >= 0.9
        assert heads == HABIT or balance(queue, heads - 1, 180).within < 0.9


def test_the_records_are_whole_orders_about_what_is_usual() -> None:
    shop = shop_week(RUSH, random.Random(1), 12)
    seen = [past_weeks(RUSH, random.Random(seed), shop.usual) for seed in range(30)]
    for key, counts in shop.usual.items():
        assert fmean(sum(one[key]) for one in seen) == pytest.approx(sum(counts), rel=0.06)
        assert all(round(8 * count, 9).is_integer() for count in seen[0][key])
    assert seen[0] != seen[1]


def test_the_manager_by_thumb_sees_neither_the_truth_nor_the_forecast() -> None:
    """Other luck and other errors this week: the same heads."""
    shop = shop_week(RUSH, random.Random(1), 12)
    lucky = shop_week(RUSH.changed(luck=0.6), random.Random(1), 12)
    assert shop.truth != lucky.truth
    assert shop.usual == lucky.usual
    assert shop.file.need != lucky.file.need
    heads = planned_heads(RUSH, of_seed(1), shop, WEEK)
    assert planned_heads(RUSH, of_seed(1), lucky, WEEK) == heads
    assert planned_heads(RUSH, of_seed(2), shop, WEEK)[0].keys() == heads[0].keys()


def test_each_kind_of_shop_has_its_manager() -> None:
    shop = shop_week(AMPLE, random.Random(1), 8)
    by_goal = heads_by_goal(shop.usual, services(shop.file), WEEK)
    assert planned_heads(AMPLE, of_seed(1), shop, WEEK) == (by_goal, {})
    rush = shop_week(RUSH, random.Random(1), 12)
    better = RUSH.changed(manager=BY_GOAL)
    assert planned_heads(better, of_seed(1), rush, WEEK) != planned_heads(
        RUSH, of_seed(1), rush, WEEK
    )


def test_rushes_are_the_busiest_four_hours_of_each_half() -> None:
    """Early: 10 an hour, then 100 in the second to the fifth; late all the same."""
    early = [10.0, 100.0, 100.0, 100.0, 100.0, 10.0]
    quarters = tuple(hour / 4 for hour in (*early, *[40.0] * 6) for _ in range(4))
    usual = {("till", day): quarters for day in WEEK}
    heads, rushes = heads_by_rushes(usual, {"till": SERVED["till"]}, WEEK)
    each = 40 * AT_WORK
    quiet, rush = math.ceil(10 / each) + 1, math.ceil(100 / each) + 1
    assert heads == {
        (day, late): math.ceil(40 / each) + 1 if late else quiet
        for day in WEEK
        for late in (False, True)
    }
    assert rushes == {(day, 1, 5): rush - quiet for day in WEEK}
