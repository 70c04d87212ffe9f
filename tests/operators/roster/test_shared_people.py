"""People of several shops: in one place at a time, on the way between them, one legal week."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace as changed
from pathlib import Path

import pytest
from depth import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from ortools.sat.python import cp_model
from roster_shops import RULES, small_files

from operators.roster.clash import clashes
from operators.roster.construct import construct
from operators.roster.evaluate import evaluate
from operators.roster.extract import extract
from operators.roster.model.build import build_model
from operators.roster.prepare import prepare
from operators.roster.problem import Problem
from operators.roster.roster import Roster
from operators.roster.solver import SOLVED, solver_of
from operators.roster.written import from_plain, to_plain
from schemas.roster import PlannedShift, RosterFile, Shop, Way
from schemas.roster_file import RosterProblem, load_roster, read_roster
from schemas.roster_rules import Rules

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "roster_shops.yaml"


@st.composite
def shared_files(draw: st.DrawFn) -> RosterFile:
    """Two shops; the first person works in both, the others where they happen to."""
    file = draw(small_files())
    somewhere = st.sampled_from([("east",), ("west",), ("east", "west")])
    people = tuple(
        replace(one, shops=draw(somewhere) if at else ("west", "east"))
        for at, one in enumerate(file.employees)
    )
    way = draw(st.sampled_from([None, 30, 60, 135]))
    return replace(
        file,
        employees=people,
        shops=(Shop("east", "11:00", "12:00"), Shop("west", "10:00", "11:00")),
        travel=() if way is None else (Way(("east", "west"), way),),
        need=tuple(replace(one, shop=shop) for one in file.need for shop in ("east", "west")),
        duties=tuple(replace(one, shop="east") for one in file.duties),
    )


def breaches(problem: Problem, roster: Roster) -> list[str]:
    """Two places at once, or too little time for the way: minute by minute, by the shifts alone."""
    spans: dict[tuple[str, int], list[tuple[int, int, int]]] = defaultdict(list)
    for one in roster.shifts:
        who = problem.people[one.person]
        spans[who.name, one.day].append((one.start, one.end, who.shop))
    found = []
    for (name, day), there in spans.items():
        where: dict[int, int] = {}
        for start, end, shop in sorted(there):
            for slot in range(start, end):
                if slot in where:
                    found.append(f"{name} is in two places on day {day}")
                for before, other in where.items():
                    way = problem.travel.get((other, shop))
                    if other != shop and (way is None or slot - before <= way):
                        found.append(f"{name} is not there yet on day {day}")
                where[slot] = shop
    return found


@settings(max_examples=cases(10, 50), deadline=None)
@given(shared_files())
def test_nobody_is_in_two_places_and_the_model_agrees_with_the_evaluator(file: RosterFile) -> None:
    problem = prepare(file)
    build = build_model(problem)
    solver = solver_of(20, 1)
    status = solver.solve(build.model)
    assert status in (cp_model.OPTIMAL, cp_model.INFEASIBLE)
    if status in SOLVED:
        roster = extract(build, solver)
        judged = evaluate(problem, roster)
        assert breaches(problem, roster) == []
        assert judged.violations == ()
        assert judged.total == round(solver.objective_value)
        assert from_plain(problem, to_plain(problem, roster)) == roster


@settings(max_examples=cases(10, 50), deadline=None)
@given(st.data())
def test_the_evaluator_sees_what_may_not_be(data: st.DataObject) -> None:
    """Any shifts at all: it tells of the way exactly where there is a breach."""
    file = replace(data.draw(shared_files()), rules=Rules())
    problem = prepare(file)
    build = build_model(without_ways(problem))
    for choices in build.choices.values():
        shape = data.draw(st.sampled_from([None, *(shape for shape, _ in choices)]))
        for one, chosen in choices:
            build.model.add(chosen == (one == shape))
    solver = solver_of(20, 1)
    assert solver.solve(build.model) in SOLVED
    roster = extract(build, solver)
    told = [one for one in evaluate(problem, roster).violations if one.startswith("travel:")]
    assert bool(told) == bool(breaches(problem, roster))


def without_ways(problem: Problem) -> Problem:
    """Everybody's shops as if they were different people's."""
    people = tuple(changed(one, name=f"{one.name}{at}") for at, one in enumerate(problem.people))
    return changed(problem, people=people)


@settings(max_examples=cases(6, 24), deadline=None)
@given(shared_files())
def test_a_first_roster_is_legal_in_all_shops(file: RosterFile) -> None:
    problem = prepare(file)
    made = construct(problem, lambda: 600.0)
    if made is not None:
        assert evaluate(problem, made).violations == ()
        assert breaches(problem, made) == []


def test_the_example_has_people_who_change_shops() -> None:
    file = load_roster(EXAMPLE)
    # Heads as they are: queues are tested elsewhere, and take long.
    need = tuple(
        replace(one, arrivals=(), heads=tuple(1 + (n > 8) for n in one.arrivals))
        for one in file.need
    )
    problem = prepare(replace(file, need=need))
    made = construct(problem, lambda: 600.0)
    assert made is not None
    assert evaluate(problem, made).violations == ()
    assert breaches(problem, made) == []
    assert [len(group) for group in problem.groups] == [1, 1, 1, 1, 2, 2, 2]
    hours = sum(shift.end - shift.start for shift in made.shifts if shift.person in (4, 5)) / 4
    assert 24 <= hours <= 40 + 7


def test_a_clash_names_the_way() -> None:
    file = load_roster(EXAMPLE)
    fixed = (
        PlannedShift("emil", file.first_day, "10:00", "14:00", "east"),
        PlannedShift("emil", file.first_day, "14:00", "18:00", "west"),
    )
    rules = Rules(fixed_assignments=RULES["fixed_assignments"])
    problem = prepare(replace(file, fixed=fixed, rules=rules, need=(), duties=(), days=1))
    (clash,) = clashes(problem, lambda: 20.0).found
    assert "emil is in one place at a time, with 30 minutes between east and west" in (
        clash.sentence()
    )
    near = prepare(replace(file, fixed=fixed, rules=rules, need=(), duties=(), days=1, travel=()))
    (clash,) = clashes(near, lambda: 20.0).found
    assert "emil cannot get from one to the other of east and west on one day" in clash.sentence()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("between: [east, west]", "between: [east, wst]", "there is no shop wst; did you mean"),
        ("shops: [east], skills: {till: 4}", "skills: {till: 4}", "anna: shops: name one or more"),
        ("shops: [east], skills: {till: 4}", "shops: [est], skills: {till: 4}", "no shop est"),
        ("{shop: east, task: till, date: 2026-11-30", "{task: till, date: 2026-11-30", "say in wh"),
        ("{name: west,", "{name: east,", "there are 2 named east"),
        ("{name: west,", "{name: a/b,", "a name has a /"),
    ],
)
def test_what_is_wrong_with_shops_is_told(before: str, after: str, words: str) -> None:
    text = EXAMPLE.read_text()
    assert before in text
    with pytest.raises(RosterProblem, match=words):
        read_roster(text.replace(before, after, 1))
