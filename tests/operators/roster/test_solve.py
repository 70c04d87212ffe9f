"""The solver against the evaluator, all rosters of tiny shops, and rosters given."""

from __future__ import annotations

import random
import time
from dataclasses import replace

from depth import cases
from hypothesis import assume, given, settings
from ortools.sat.python import cp_model
from roster_shops import RULES, cheapest, small_files, small_problem, without

from bench.roster.shop import shop
from operators.roster.answer import Answer, Budget
from operators.roster.evaluate import evaluate
from operators.roster.extract import extract
from operators.roster.model.build import build_model
from operators.roster.problem import Problem
from operators.roster.relaxation import Relaxation
from operators.roster.roster import Roster
from operators.roster.solve import solve
from operators.roster.solver import SOLVED, solver_of
from schemas.roster import RosterFile
from schemas.roster_rules import HARD, SOFT, Rules


def solved(problem: Problem, seconds: float = 20.0) -> Answer:
    return solve(problem, time.monotonic, random.Random(1), Budget(seconds, workers=1))


@settings(max_examples=cases(20, 80), deadline=None)
@given(small_files())
def test_the_model_and_the_evaluator_agree_on_legality_and_on_every_cost(file: RosterFile) -> None:
    problem = small_problem(file)
    build = build_model(problem)
    solver = solver_of(20, 1)
    status = solver.solve(build.model)
    assert status in (cp_model.OPTIMAL, cp_model.INFEASIBLE)
    if status in SOLVED:
        judged = evaluate(problem, extract(build, solver))
        assert judged.violations == ()
        assert judged.total == round(solver.objective_value)


@settings(max_examples=cases(6, 24), deadline=None)
@given(small_files(days=1))
def test_the_answer_costs_what_the_cheapest_of_all_rosters_costs(file: RosterFile) -> None:
    problem = replace(small_problem(file), duties=())
    answer = solved(problem)
    expected = cheapest(problem)
    if expected is None:
        assert answer.proved_infeasible
    else:
        assert answer.evaluation is not None
        assert answer.evaluation.total == expected
        assert answer.bound == expected


@settings(max_examples=15, deadline=None)
@given(small_files())
def test_the_bound_is_never_above_the_optimum(file: RosterFile) -> None:
    problem = small_problem(file)
    build = build_model(problem)
    solver = solver_of(20, 1)
    assume(solver.solve(build.model) == cp_model.OPTIMAL)
    relaxation = Relaxation(build)
    least = relaxation.solve(20)
    assert least is not None
    assert relaxation.bound(least) <= solver.objective_value + 1e-6


def some_roster(problem: Problem) -> Roster | None:
    """Any legal roster, whatever it costs; None where there is none."""
    build = build_model(problem)
    build.model.clear_objective()  # type: ignore[no-untyped-call]
    solver = solver_of(20, 1, priced=False)
    return extract(build, solver) if solver.solve(build.model) in SOLVED else None


@settings(max_examples=cases(6, 24), deadline=None)
@given(small_files())
def test_the_answer_is_never_worse_than_the_roster_given(file: RosterFile) -> None:
    problem = small_problem(file)
    any_legal = some_roster(problem)
    assume(any_legal is not None)
    assert any_legal is not None
    # Without time to look, the roster given is the answer.
    budget = Budget(0.0, workers=1)
    answer = solve(problem, time.monotonic, random.Random(1), budget, any_legal)
    assert answer.roster == any_legal
    better = solve(problem, time.monotonic, random.Random(1), Budget(1, 1), any_legal)
    assert better.evaluation is not None
    assert better.evaluation.total <= evaluate(problem, any_legal).total


@settings(max_examples=cases(4, 16), deadline=None)
@given(small_files())
def test_a_rule_switched_off_leaves_no_trace(file: RosterFile) -> None:
    full = replace(small_problem(file), rules=Rules(**RULES))
    judged = None
    for rule in (*HARD, *SOFT):
        off = without(full, rule)
        build = build_model(off, explain=True)
        assert not any(reason.rule == rule for reason in build.reasons)
        if judged is None:
            judged = some_roster(without(full, *HARD))
            assert judged is not None
        told = evaluate(off, judged)
        assert rule not in told.costs
        assert not any(broken.startswith(f"{rule}:") for broken in told.violations)


def test_no_rules_make_a_model_without_costs_and_reasons() -> None:
    problem = replace(small_problem(shop(3, days=1)), rules=Rules())
    build = build_model(problem)
    assert build.cost == []
    assert build_model(problem, explain=True).reasons == {}
