"""Clashes: what is named is infeasible, and without it there is a roster."""

from __future__ import annotations

from datetime import timedelta

from depth import cases
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from ortools.sat.python import cp_model
from roster_shops import FRIDAY, RULES, small_files, small_problem, without

from operators.roster.clash import clashes
from operators.roster.evaluate import evaluate
from operators.roster.model.build import build_model
from operators.roster.problem import Problem
from operators.roster.reasons import Reason
from operators.roster.solver import SOLVED, solver_of
from schemas.roster import Employee, PlannedShift, RosterFile, Task, TaskNeed
from schemas.roster_rules import FixedAssignments, LeastHeads, Qualification, Rest, Rules


def is_feasible(problem: Problem, kept: set[Reason] | None = None) -> bool:
    """By the model in which only these reasons hold, or by the plain one."""
    build = build_model(problem, explain=kept is not None)
    for reason, literal in build.reasons.items():
        if kept is not None and reason in kept:
            build.model.add(literal == 1)
    if kept is None:
        build.model.clear_objective()  # type: ignore[no-untyped-call]
    status = solver_of(20, 1, priced=False).solve(build.model)
    assert status in (*SOLVED, cp_model.INFEASIBLE)
    return status in SOLVED


@st.composite
def crowded(draw: st.DrawFn) -> RosterFile:
    """Shops in which too much is asked: they often have no legal roster."""
    file = draw(small_files())
    day = FRIDAY + timedelta(days=draw(st.integers(0, 1)))
    fixed = (PlannedShift("p0", day, "10:00", "14:00"), PlannedShift("p1", day, "12:00", "16:00"))
    chosen = draw(st.sets(st.sampled_from(sorted(RULES)), min_size=3))
    rules = {name: RULES[name] for name in chosen | {"waiting", "fixed_assignments"}}
    return replace(file, rules=Rules(**rules), fixed=fixed)


@settings(max_examples=cases(12, 60), deadline=None)
@given(crowded())
def test_each_clash_is_one_without_slack_and_without_all_there_is_a_roster(
    file: RosterFile,
) -> None:
    problem = small_problem(file)
    assume(not is_feasible(problem))
    found = clashes(problem, lambda: 20.0)
    assert found.complete
    for clash in found.found:
        assert clash.minimal
        assert not is_feasible(problem, set(clash.reasons))
        for reason in clash.reasons:
            assert is_feasible(problem, set(clash.reasons) - {reason})
    named = {reason.rule for clash in found.found for reason in clash.reasons}
    assert is_feasible(without(problem, *named))


def test_a_clash_is_told_in_a_sentence() -> None:
    file = RosterFile(
        shop="tiny",
        first_day=FRIDAY,
        days=2,
        employees=(Employee("anna", {"till": 1}),),
        tasks={"till": Task()},
        need=(TaskNeed("till", FRIDAY, "10:00", heads=(1,) * 8),),
        rules=Rules(
            qualification=Qualification(),
            rest=Rest(12),
            fixed_assignments=FixedAssignments(),
        ),
        fixed=(
            PlannedShift("anna", FRIDAY, "14:00", "22:00"),
            PlannedShift("anna", FRIDAY + timedelta(days=1), "08:00", "12:00"),
        ),
    )
    (clash,) = clashes(small_problem(file), lambda: 20.0).found
    assert clash.sentence() == (
        "these do not go together: "
        "anna is fixed from 14:00 to 22:00 on Friday 2026-12-04 (fixed_assignments); "
        "anna is fixed from 08:00 to 12:00 on Saturday 2026-12-05 (fixed_assignments); "
        "anna rests 12 h between two shifts (rest)"
    )


def test_what_nobody_can_keep_is_told_alone() -> None:
    file = RosterFile(
        shop="tiny",
        first_day=FRIDAY,
        days=1,
        employees=(Employee("anna", {"shelf": 1}),),
        tasks={"till": Task(), "shelf": Task()},
        need=(),
        rules=Rules(qualification=Qualification(), least_heads=LeastHeads({"till": 1})),
    )
    (clash,) = clashes(small_problem(file), lambda: 20.0).found
    assert clash.sentence() == (
        "this cannot be kept by anybody: "
        "1 at till as long as the shop is open on Friday 2026-12-04 (least_heads)"
    )


@settings(max_examples=20, deadline=None)
@given(small_files())
def test_where_nothing_clashes_a_legal_roster_is_handed_back(file: RosterFile) -> None:
    problem = small_problem(file)
    found = clashes(problem, lambda: 20.0)
    assert found.complete
    assert (found.roster is None) == bool(found.found)
    if found.roster is not None:
        assert evaluate(problem, found.roster).violations == ()
