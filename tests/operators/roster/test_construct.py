"""First rosters made person by person: legal, by the evaluator, whatever the size of the shop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from roster_shops import small_files, small_problem

from bench.roster.shop import shop
from operators.roster.construct import construct
from operators.roster.evaluate import evaluate
from operators.roster.extract import extract, hint
from operators.roster.model.build import build_model
from operators.roster.prepare import prepare
from operators.roster.solver import SOLVED, solver_of
from schemas.roster import RosterFile
from schemas.roster_file import load_roster

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "roster.yaml"


def forever() -> float:
    """The work is limited by CP-SAT's own measure, which no other process changes."""
    return 600.0


def shop_of_30() -> RosterFile:
    """Its need in heads, one to ten customers: queues are tested elsewhere, and take long."""
    file = shop(30)
    need = tuple(
        replace(one, arrivals=(), heads=tuple(round(n / 10) + 1 for n in one.arrivals))
        for one in file.need
    )
    return replace(file, need=need)


def example() -> RosterFile:
    return load_roster(EXAMPLE)


@pytest.mark.parametrize("file", [shop_of_30, example])
def test_a_shop_gets_a_legal_roster(file: Callable[[], RosterFile]) -> None:
    problem = prepare(file())
    made = construct(problem, forever)
    assert made is not None
    assert evaluate(problem, made).violations == ()


@settings(max_examples=12, deadline=None)
@given(small_files())
def test_what_is_made_of_any_rules_is_legal(file: RosterFile) -> None:
    problem = small_problem(file)
    made = construct(problem, forever)
    if made is not None:
        assert evaluate(problem, made).violations == ()


@settings(max_examples=8, deadline=None)
@given(small_files())
def test_a_roster_given_as_a_hint_is_a_solution(file: RosterFile) -> None:
    problem = small_problem(file)
    made = construct(problem, forever)
    if made is None:
        return
    build = build_model(problem)
    hint(build, made)
    solver = solver_of(20, 1)
    solver.parameters.fix_variables_to_their_hinted_value = True
    assert solver.solve(build.model) in SOLVED
    assert extract(build, solver).spans() == made.spans()
    assert round(solver.objective_value) == evaluate(problem, made).total
