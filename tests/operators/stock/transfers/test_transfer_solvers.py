"""The exact answer against trying everything, and greedy against the exact one."""

from __future__ import annotations

from depth import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from transfer_brute_force import best_by_trying

from operators.stock.transfers.exact import best_plan
from operators.stock.transfers.greedy import greedy
from operators.stock.transfers.problem import Problem, Way, is_allowed, totals, worth

FEW = 3


@st.composite
def problems(draw: st.DrawFn, *, trips_cost: bool = True, sides: int = 3) -> Problem:
    """Some donors and takers with rising costs and falling gains, and ways between most of them."""
    row = st.lists(st.integers(0, 60), min_size=0, max_size=FEW)
    costs = draw(st.lists(row.map(sorted), min_size=1, max_size=sides))
    gains = draw(st.lists(row.map(lambda x: sorted(x, reverse=True)), min_size=1, max_size=2))
    ways = [
        Way(
            donor,
            taker,
            draw(st.integers(0, 15)),
            draw(st.integers(0, 60)) if trips_cost else 0,
            draw(st.integers(1, 3)) if trips_cost else 1,
        )
        for donor in range(len(costs))
        for taker in range(len(gains))
        if draw(st.integers(0, 4))
    ]
    return Problem(costs, gains, ways)


@settings(max_examples=cases(100, 500), deadline=None)
@given(problems())
def test_nothing_that_can_be_tried_is_worth_more(problem: Problem) -> None:
    plan = best_plan(problem)
    assert plan.proved
    assert is_allowed(problem, plan.packs)
    assert worth(problem, plan.packs) == plan.worth == best_by_trying(problem)


@settings(max_examples=cases(60, 300), deadline=None)
@given(problems(trips_cost=False))
def test_without_trip_costs_one_flow_is_the_best(problem: Problem) -> None:
    plan = best_plan(problem, most_nodes=1)
    assert plan.proved
    assert plan.worth == best_by_trying(problem)


@settings(max_examples=cases(60, 300), deadline=None)
@given(problems())
def test_the_exact_answer_is_worth_at_least_the_greedy_one(problem: Problem) -> None:
    quick = greedy(problem)
    assert is_allowed(problem, quick)
    assert best_plan(problem).worth >= worth(problem, quick) >= 0
    assert best_plan(problem, most_nodes=0).worth >= 0


@settings(max_examples=cases(60, 300), deadline=None)
@given(problems(trips_cost=False, sides=1))
def test_greedy_is_the_best_for_one_donor_without_trip_costs(problem: Problem) -> None:
    assert worth(problem, greedy(problem)) == best_by_trying(problem)


@settings(max_examples=100, deadline=None)
@given(problems())
def test_each_trip_is_worth_its_cost_given_all_others(problem: Problem) -> None:
    plan = best_plan(problem)
    for at, units in enumerate(plan.packs):
        without = [0 if other == at else packs for other, packs in enumerate(plan.packs)]
        assert not units or worth(problem, without) <= plan.worth


def test_greedy_is_not_always_the_best() -> None:
    """The nearest taker takes the donor that the other one could have had alone."""
    problem = Problem(
        [[0], [0]], [[50], [50]], [Way(0, 0, 1, 0, 1), Way(0, 1, 2, 0, 1), Way(1, 0, 3, 0, 1)]
    )
    quick, plan = greedy(problem), best_plan(problem)
    assert worth(problem, quick) == 49
    assert plan.packs == [0, 1, 1]
    assert plan.worth == 95


def test_two_half_loads_that_do_not_pay_for_their_trips_stay() -> None:
    problem = Problem([[0, 0], [0, 0]], [[30, 30]], [Way(0, 0, 0, 70, 1), Way(1, 0, 0, 40, 1)])
    plan = best_plan(problem)
    assert totals(problem, plan.packs) == ([0, 2], [2])
    assert plan.worth == 20


def test_no_way_no_move() -> None:
    assert best_plan(Problem([[0]], [[9]], [])).packs == []
    assert best_plan(Problem([[]], [[9]], [Way(0, 0, 1, 0, 1)])).packs == [0]
