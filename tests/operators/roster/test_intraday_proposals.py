"""Proposals: legal by the evaluator, priced as it prices, the cheapest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from depth import cases
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from roster_shops import small_files, small_problem, some_rosters

from operators.roster.evaluate import evaluate
from operators.roster.intraday.moves import Notice
from operators.roster.intraday.proposals import Options
from operators.roster.intraday.watch import Stretch, stretches
from operators.roster.people_at_work import Presence
from operators.roster.problem import SLOTS, Problem, slot_of
from operators.roster.roster import Roster, Shift
from schemas.roster import Employee, RosterFile, Shifts, Task, TaskNeed
from schemas.roster_rules import (
    Availability,
    MentorBesideTrainee,
    Pay,
    Qualification,
    Rest,
    Rules,
    Waiting,
    WeeklyHours,
)

NOTICE = Notice(2, 1, 4)


def priced(problem: Problem) -> Problem:
    rules = replace_rules(problem.rules)
    return replace(problem, rules=rules)


def replace_rules(rules: Rules) -> Rules:
    values = {name: getattr(rules, name) for name in rules.__struct_fields__}
    return Rules(**{**values, "waiting": Waiting(), "pay": rules.pay or Pay()})


def worst(problem: Problem, roster: Roster, day: int, now: int, kind: str) -> Stretch | None:
    serving = Presence(problem, roster).serving
    off = {}
    for slot, demand in problem.demands["till"].items():
        if slot // SLOTS == day and slot % SLOTS >= now:
            gap = serving.get(("till", slot), 0) - demand.heads
            off[slot % SLOTS] = -gap if kind == "short_staffed" else gap
    found = stretches("till", kind, off, 2)  # type: ignore[arg-type]
    return max(found, key=lambda one: one.amount, default=None)


@given(st.data(), st.sampled_from(["short_staffed", "over_staffed"]), st.integers(36, 60))
@settings(max_examples=cases(15, 80), deadline=None)
def test_each_proposal_is_legal_and_costs_what_the_evaluator_says(
    data: st.DataObject, kind: str, now: int
) -> None:
    problem = priced(small_problem(data.draw(small_files())))
    roster = data.draw(some_rosters(problem))
    day = data.draw(st.integers(0, 1))
    stretch = worst(problem, roster, day, now, kind)
    assume(stretch is not None)
    assert stretch is not None
    options = Options(problem, roster)
    before = evaluate(problem, roster)
    found = options.proposals(stretch, day, now, NOTICE, 20)
    changes = options.changes(stretch, day, now, NOTICE)
    prices = [one.net if one.move == "go" else one.net / one.covers for one in found]
    assert prices == sorted(prices)
    legal = [one for one in changes if options.legal(one.applied(roster))]
    for one in changes:
        after = evaluate(problem, one.applied(roster))
        assert one.pay == after.costs["pay"] - before.costs["pay"]
        assert one.waiting == after.costs["waiting"] - before.costs["waiting"]
        assert one.covers > 0
        untouched(one.old, one.new, now)
    for proposal in found:
        mine = next(
            one
            for one in legal
            if problem.people[one.person].name == proposal.employee
            and (one.net, one.covers) == (proposal.net, proposal.covers)
        )
        assert set(evaluate(problem, mine.applied(roster)).violations) <= set(before.violations)
        # the best that this person can do
        theirs = [one for one in legal if one.person == mine.person]
        if mine.move != "go":
            theirs = [one for one in theirs if one.covers == max(x.covers for x in theirs)]
        assert mine.net == min(one.net for one in theirs)
    assert {one.person for one in legal} == {
        at for at, who in enumerate(problem.people) if who.name in {one.employee for one in found}
    }
    done = roster
    for proposal in found:
        if proposal.together:
            person = [who.name for who in problem.people].index(proposal.employee)
            one = next(
                x
                for x in legal
                if (x.person, x.net, x.covers) == (person, proposal.net, proposal.covers)
            )
            done = one.applied(done)
    assert set(evaluate(problem, done).violations) <= set(before.violations)


def untouched(old: Shift | None, new: Shift, now: int) -> None:
    """What has been is as it was: begins, tasks, breaks."""
    if old is None:
        assert new.start >= now + NOTICE.call
        return
    assert new.start == old.start
    if new.end > old.end:
        assert old.end >= now + NOTICE.stay
    else:
        assert new.end >= now + NOTICE.go
    until = max(0, min(now, new.end) - new.start)
    assert new.tasks[:until] == old.tasks[:until]


def shop(rules: Rules, most: float = 40) -> tuple[Problem, Roster]:
    """Two at the till until 17:00, three off; from 17:00 two are needed."""
    skills = {"till": 2}
    file = RosterFile(
        shop="S1",
        first_day=date(2026, 12, 3),
        days=2,
        employees=(
            Employee("ann", skills, pay=3_000, most_hours=most),
            Employee("bo", skills, pay=2_000, most_hours=most),
            Employee("chen", {"shelf": 1}, pay=1_000),
            Employee("dora", skills, pay=1_500, trainee=True),
            Employee("emil", skills, pay=2_500, available={"thu": ("09:00-18:00",)}),
        ),
        tasks={"till": Task(short_cost=20_000), "shelf": Task()},
        need=(TaskNeed("till", date(2026, 12, 3), "09:00", heads=(2,) * 40),),
        rules=rules,
        shifts=Shifts(
            earliest="09:00",
            latest="21:00",
            starts_every=60,
            shortest_hours=2,
            longest_hours=10,
            pause=None,
        ),
    )
    shifts = tuple(Shift(at, 0, 36, 68, None, ("till",) * 32) for at in (0, 1))
    return small_problem(file), Roster(shifts)


def told(problem: Problem, roster: Roster, now: str) -> list[tuple[str, str, str, int, int]]:
    stretch = Stretch("till", "short_staffed", 68, 76, 2, 16)
    found = Options(problem, roster).proposals(stretch, 0, slot_of(now), Notice(2, 1, 6), 5)
    return [(one.employee, one.move, one.ends, one.pay_change, one.covers) for one in found]


RULES = Rules(
    availability=Availability(),
    qualification=Qualification(),
    rest=Rest(11),
    weekly_hours=WeeklyHours(48),
    mentor_beside_trainee=MentorBesideTrainee(),
    waiting=Waiting(),
    pay=Pay(overtime_after=9, overtime_factor=1.5),
)


def test_who_can_stay_and_who_can_come() -> None:
    """Overtime counts; chen cannot do it, dora may not be alone, emil has to go by 18:00."""
    problem, roster = shop(RULES)
    assert told(problem, roster, "12:00") == [
        ("bo", "stay", "19:00", 5_000, 8),
        ("ann", "stay", "19:00", 7_500, 8),
        ("emil", "call", "18:00", 5_000, 4),
    ]


def test_too_late_to_ask() -> None:
    """Half an hour before their end nobody is asked to stay, and nobody is called for at once."""
    problem, roster = shop(RULES)
    assert told(problem, roster, "16:45") == []


@pytest.mark.parametrize(("most", "wanted"), [(9, "18:00"), (10, "19:00"), (8, None)])
def test_contract_hours_are_kept(most: float, wanted: str | None) -> None:
    problem, roster = shop(RULES, most)
    found = {
        who: ends for who, move, ends, _, _ in told(problem, roster, "12:00") if move == "stay"
    }
    assert found == ({} if wanted is None else {"ann": wanted, "bo": wanted})
