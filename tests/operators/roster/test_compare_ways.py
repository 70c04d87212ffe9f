"""Rosters by hand and by the greedy rule keep every rule; what is measured of them is right."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from operators.roster.answer import Budget
from operators.roster.compare.greedy import by_need
from operators.roster.compare.manager import by_hand
from operators.roster.compare.measures import MEASURES, fairness, wishes_met
from operators.roster.compare.scenario import AMPLE, BY_RUSHES, RUSH, Scenario
from operators.roster.compare.shop import shop_week
from operators.roster.compare.summary import Estimate, difference, relative, verdicts
from operators.roster.compare.week import WAYS, planned_heads, week
from operators.roster.evaluate import evaluate
from operators.roster.prepare import prepare
from operators.roster.problem import Demand, Past, Problem
from operators.roster.roster import Roster, Shift
from schemas.roster import RosterFile, TaskNeed


def quick(file: RosterFile) -> RosterFile:
    """The same with heads as needs: no queue has to be followed, the rules are the same."""
    needs = tuple(
        TaskNeed(one.task, one.date, one.start, heads=tuple(1 + (n > 4) for n in one.arrivals))
        for one in file.need
    )
    return type(file)(
        **{name: getattr(file, name) for name in file.__struct_fields__} | {"need": needs}
    )


def rosters(scenario: Scenario, seed: int, people: int) -> tuple[Problem, Roster, Roster]:
    """By hand and by the greedy rule."""
    shop = shop_week(scenario, random.Random(seed), people)
    problem = prepare(quick(shop.file))

    def draws(purpose: str) -> random.Random:
        return random.Random(f"{seed} {purpose}")

    hand = by_hand(problem, *planned_heads(scenario, draws, shop, problem.weekdays))
    return problem, hand, by_need(problem)


@pytest.mark.parametrize("scenario", [RUSH, AMPLE], ids=lambda one: one.name)
@pytest.mark.parametrize("seed", range(5))
def test_by_hand_and_greedy_are_legal(scenario: Scenario, seed: int) -> None:
    problem, *both = rosters(scenario, seed, scenario.people[0] + seed)
    for roster in both:
        assert evaluate(problem, roster).violations == ()
        assert len(roster.shifts) > 20
    # The manager's day: all of one length, at opening or until closing, but for topped-up hours.
    opens, closes = problem.open_slots
    usual = [one for one in both[0].shifts if one.start == opens or one.end == closes]
    assert len(usual) >= 0.9 * len(both[0].shifts)


def test_short_shifts_are_where_the_rushes_are() -> None:
    problem, hand, greedy = rosters(RUSH.changed(manager=BY_RUSHES), 1, 14)
    _, plain, _ = rosters(RUSH, 1, 14)
    for roster in (hand, greedy):
        assert evaluate(problem, roster).violations == ()
    opens, closes = problem.open_slots
    short = [one for one in hand.shifts if one.end - one.start == 16]
    between = {(one.start, one.end) for one in short if one.start > opens and one.end < closes}
    assert len(short) > 25
    # Noon's rush: from ten or eleven on.
    assert {(40, 56), (44, 60)} & between
    assert not [one for one in plain.shifts if one.start > opens and one.end < closes]


@pytest.mark.parametrize("at", range(5))
def test_the_busy_shops_have_the_people_their_managers_ask_for(at: int) -> None:
    """By hand is not held down by contracts: nearly every shift that is planned is filled."""
    shop = shop_week(RUSH, random.Random(f"1 {at} shop"), RUSH.people[0] + at)
    problem = prepare(quick(shop.file))
    heads, _ = planned_heads(
        RUSH, lambda purpose: random.Random(f"1 {at} {purpose}"), shop, problem.weekdays
    )
    assert len(by_hand(problem, heads).shifts) >= sum(heads.values()) - 2


def test_the_evaluator_sees_what_the_draft_must_not_do() -> None:
    """The oracle of the test above: the same rosters with longer weeks are not legal."""
    problem, hand, _ = rosters(AMPLE, 0, 8)
    tight = replace(problem, people=tuple(replace(one, most=4) for one in problem.people))
    assert any("weekly_hours" in one for one in evaluate(tight, hand).violations)


def test_a_day_in_three_ways_is_legal_and_measured() -> None:
    """The search begins with a legal roster: a slow machine makes it dearer, never illegal."""
    ticks = iter(range(10**9))
    found = week(
        AMPLE,
        lambda purpose: random.Random(f"1 {purpose}"),
        6,
        lambda: next(ticks) / 100,
        Budget(3.0, 1, 0.05),
        days=1,
    )
    assert tuple(found) == WAYS
    for one in found.values():
        assert one.violations == ()
        assert tuple(one.figures) == MEASURES
        assert one.figures["hours"] > 12
        assert one.figures["p95_min"] >= one.figures["wait_min"] > 0
        assert 0 < one.figures["labour_pct"] < 100


def two_people() -> Problem:
    shop = shop_week(AMPLE, random.Random(3), 6, 1)
    problem = prepare(quick(shop.file))
    people = tuple(replace(one, most=160, past=Past()) for one in problem.people[:2])
    return replace(problem, people=people, demands={"till": {40: Demand(1, (1, 0))}, "making": {}})


def test_fairness_is_what_must_not_change_hands() -> None:
    problem = two_people()
    late = Shift(0, 0, 60, 84, None, ("till",) * 24)
    assert fairness(problem, Roster((late, late._replace(person=1)))) == 100
    # All evenings are of one of two equals: half of them would have to change hands.
    assert fairness(problem, Roster((late,))) == 75
    assert fairness(problem, Roster(())) == 100
    assert wishes_met(replace(problem, people=()), 0) == 100


def test_differences_and_bars() -> None:
    before, after = [4.0, 6.0, 8.0, 6.0], [2.0, 3.0, 4.0, 3.0]
    found = difference(before, after)
    assert found.value == -3
    # Student's t of 3 degrees of freedom is 3.182; the deviation of -2, -3, -4, -3 is 0.8165.
    assert found.high == pytest.approx(-3 + 3.1824 * 0.8165 / 2, abs=1e-3)
    assert relative(before, after) == Estimate(-0.5, -0.5, -0.5)
    assert relative([2.0], [1.0]) == Estimate(-0.5, None, None)
    hand = dict.fromkeys(MEASURES, before)
    words = {one.measure: one.words for one in verdicts(hand, dict.fromkeys(MEASURES, after))}
    assert words["wait_min"] == "met"
    assert words["labour_pct"] == "met"
    assert words["wishes_pct"] == "NOT met"
    noisy = [4.0, 2.0, 5.0, 2.2]
    words = {one.measure: one.words for one in verdicts(hand, dict.fromkeys(MEASURES, noisy))}
    assert words["wait_min"] == "NOT met on average; the interval reaches the bar"
    assert words["labour_pct"] == "met on average, but the interval reaches past the bar"
