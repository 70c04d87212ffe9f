"""What is shared of evenings and weekends: heads the goals need, or those worth their pay."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest

from operators.roster.compare.scenario import RUSH
from operators.roster.compare.shop import shop_week
from operators.roster.prepare import prepare
from operators.roster.problem import SLOTS, Demand, Past, Problem
from schemas.roster import TaskNeed
from schemas.roster_rules import FairEvenings, FairWeekends, Rules


def two_days(demand: Demand) -> Problem:
    """Four equals; the same heads on a Friday and a Saturday from 18:00 to 21:00."""
    shop = shop_week(RUSH, random.Random(3), 6, 2)
    heads = tuple(TaskNeed(one.task, one.date, one.start, heads=(0,)) for one in shop.file.need)
    problem = prepare(msgspec.structs.replace(shop.file, need=heads))
    who = replace(problem.people[0], most=160, past=Past())
    slots = [day * SLOTS + slot for day in (0, 1) for slot in range(72, 84)]
    return replace(
        problem,
        people=tuple(replace(who, name=f"p{at}") for at in range(4)),
        weekdays=(4, 5),
        demands={"till": dict.fromkeys(slots, demand), "making": {}},
    )


def shares(problem: Problem, of: str) -> tuple[int, int]:
    """Of evenings and of weekend days, of the first."""
    rules = Rules(
        fair_evenings=msgspec.convert({"shares": of}, FairEvenings),
        fair_weekends=msgspec.convert({"shares": of}, FairWeekends),
    )
    one = replace(problem, rules=rules)
    return one.evening_share(0), one.weekend_share(0)


def test_shares_by_reckoning() -> None:
    """Eight heads on two evenings are four each for four people, three are one and a half: two."""
    problem = two_days(Demand(8, tuple(range(80, -1, -10)), 3))
    # Saturday: 8 x 3 hours are 24, as 4 shifts of 7 hours; 3 x 3 hours are 2 of them.
    assert shares(problem, "needed") == (4, 1)
    assert shares(problem, "worth_pay") == (2, 1)
    problem = replace(problem, people=problem.people[:1])
    assert shares(problem, "needed") == (16, 4)
    assert shares(problem, "worth_pay") == (6, 2)


def test_heads_that_are_given_are_all_worth_their_pay() -> None:
    problem = two_days(Demand(8, tuple(range(80, -1, -10))))
    assert shares(problem, "worth_pay") == shares(problem, "needed")


@pytest.mark.parametrize("waiting_cost", [0, 1_500, 100_000])
def test_who_is_worth_the_pay_saves_at_least_as_much(waiting_cost: int) -> None:
    shop = shop_week(RUSH.changed(waiting_cost=waiting_cost), random.Random(1), 6, 1)
    problem = prepare(shop.file)
    wage = sum(one.pay for one in problem.people) / len(problem.people) / 4
    fewer = 0
    for demand in (one for by_slot in problem.demands.values() for one in by_slot.values()):
        saved = [before - after for before, after in pairwise(demand.cost)]
        assert demand.worth_pay is not None
        assert all(one >= wage for one in saved[: demand.worth_pay])
        assert demand.worth_pay == demand.heads or saved[demand.worth_pay] < wage
        fewer += demand.heads - demand.worth_pay
    # Where waiting is dear everybody the goal needs is worth it, where it is cheap fewer are.
    assert (fewer == 0) == (waiting_cost == 100_000)
