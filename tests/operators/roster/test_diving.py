"""The loose relaxation: a bound on every legal roster, and rosters by diving from it."""

from __future__ import annotations

import pytest
from depth import cases
from hypothesis import given, settings
from ortools.sat.python import cp_model
from roster_shops import small_files, small_problem, without

from bench.roster.shop import shop
from operators.roster.construct import completed, refilled
from operators.roster.diving import Diver
from operators.roster.evaluate import evaluate
from operators.roster.model.build import build_model
from operators.roster.neighbourhoods import shapes_of
from operators.roster.prepare import prepare
from operators.roster.problem import Problem
from operators.roster.roster import Roster
from operators.roster.solver import solver_of
from schemas.roster import RosterFile

SECONDS = 60.0


def ample() -> float:
    """Time enough."""
    return SECONDS


@given(small_files())
@settings(max_examples=cases(15, 80), deadline=None)
def test_what_is_loose_is_never_above_the_cheapest_roster(file: RosterFile) -> None:
    problem = small_problem(file)
    build = build_model(problem)
    solver = solver_of(SECONDS, 1)
    if solver.solve(build.model) != cp_model.OPTIMAL:
        return
    bound = Diver(problem).bound(ample)
    assert bound is not None
    assert bound <= solver.objective_value + 1e-6


@pytest.fixture(scope="module", name="problem")
def _problem() -> Problem:
    """Three days of ten people with every rule, two mentors and a trainee among them."""
    file = shop(10, 6, days=3, starts_every=60)
    assert any(one.trainee for one in file.employees)
    return prepare(file)


@pytest.fixture(scope="module", name="diver")
def _diver(problem: Problem) -> Diver:
    return Diver(problem)


@pytest.fixture(scope="module", name="dived")
def _dived(problem: Problem, diver: Diver) -> Roster:
    """A whole dive; breaks in the middle of their shifts keep the rules about mentors."""
    bound = diver.bound(ample)
    shapes = diver.whole(ample)
    assert shapes is not None
    roster = completed(problem, shapes, ample)
    assert roster is not None
    assert bound is not None
    assert bound <= evaluate(problem, roster).total
    return roster


def test_a_dive_is_a_legal_roster(problem: Problem, dived: Roster) -> None:
    judged = evaluate(problem, dived)
    assert judged.violations == ()
    assert judged.total > 0


def test_a_part_changes_its_cells_alone(problem: Problem, diver: Diver, dived: Roster) -> None:
    kept = shapes_of(problem, dived)
    free = {(person, 1) for person in range(len(problem.people))}
    spoiled = {cell: shape for cell, shape in kept.items() if cell[1] != 1}
    shapes = diver.part(spoiled, free, float("inf"), ample)
    assert shapes is not None
    assert {cell: shape for cell, shape in shapes.items() if cell not in free} == spoiled
    assert any(cell in free for cell in shapes)
    made = refilled(problem, dived, shapes, ample)
    assert made is not None
    assert [one for one in made.shifts if one.day != 1] == [
        one for one in dived.shifts if one.day != 1
    ]
    # Nothing is free, nothing costs less than nothing.
    assert diver.part(kept, free, 0.0, ample) is None


def test_days_that_do_not_go_together_are_not_refilled(problem: Problem, dived: Roster) -> None:
    """Nobody at work while the shop is open: least_heads is broken whatever the breaks are."""
    assert problem.rules.least_heads is not None
    nobody = {cell: shape for cell, shape in shapes_of(problem, dived).items() if cell[1] != 0}
    assert refilled(problem, dived, nobody, ample) is None
    free = without(problem, "least_heads", "opening_duties", "skilled_at_peak")
    made = refilled(free, dived, nobody, ample)
    assert made is not None
    assert not any(one.day == 0 for one in made.shifts)
