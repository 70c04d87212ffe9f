"""One simulated shop-week staffed in three ways, with the same customers for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from operators.roster.answer import Budget
from operators.roster.compare.draws import Draws
from operators.roster.compare.greedy import by_need
from operators.roster.compare.habits import (
    Heads,
    Rushes,
    heads_by_goal,
    heads_by_rushes,
    heads_by_thumb,
)
from operators.roster.compare.manager import by_hand
from operators.roster.compare.measures import Outcome, outcome
from operators.roster.compare.scenario import BY_GOAL, BY_RUSHES, Scenario
from operators.roster.compare.shop import Counts, ShopWeek, past_weeks, shop_week
from operators.roster.compare.simulate import Customer, Service, customers
from operators.roster.evaluate import evaluate
from operators.roster.need.heads import Goal
from operators.roster.prepare import prepare, service_goal
from operators.roster.problem import Problem
from operators.roster.roster import Roster
from operators.roster.solve import solve
from schemas.roster import RosterFile

WAYS = ("by hand", "greedy", "tillflow")


def week(
    scenario: Scenario,
    draws: Callable[[str], Draws],
    people: int,
    clock: Callable[[], float],
    budget: Budget,
    days: int = 7,
) -> dict[str, Outcome]:
    """What the three ways come to.

    Args:
        scenario: the kind of shop.
        draws: a generator for each purpose, so that none depends on what another has drawn.
        people: how many the shop has.
        clock: counts seconds, for the budget.
        budget: of the search.
        days: of the week.
    """
    shop = shop_week(scenario, draws("shop"), people, days)
    crowd = crowd_of(scenario, draws, shop.truth)
    problem = prepare(shop.file)
    hand = by_hand(problem, *planned_heads(scenario, draws, shop, problem.weekdays))
    greedy = by_need(problem)
    searched = solve(problem, clock, draws("search"), budget, _start(problem, hand, greedy))
    # Without any legal roster in time, the plan is what there was before the search.
    ours = searched.roster or greedy
    sales = {task: kind.sale for task, kind in scenario.tasks.items()}
    return {
        way: outcome(problem, roster, crowd, sales)
        for way, roster in zip(WAYS, (hand, greedy, ours), strict=True)
    }


def planned_heads(
    scenario: Scenario, draws: Callable[[str], Draws], shop: ShopWeek, weekdays: Sequence[int]
) -> tuple[Heads, Rushes]:
    """The manager's heads: by thumb from the till's records, or by goal from what is usual."""
    served = services(shop.file)
    if scenario.manager == BY_GOAL:
        return heads_by_goal(shop.usual, served, weekdays), {}
    records = past_weeks(scenario, draws("records"), shop.usual)
    if scenario.manager == BY_RUSHES:
        return heads_by_rushes(records, served, weekdays)
    return heads_by_thumb(records, served, weekdays), {}


def crowd_of(
    scenario: Scenario, draws: Callable[[str], Draws], truth: Counts
) -> dict[tuple[str, int], list[Customer]]:
    """The customers of each task and day; each has a generator of its own."""
    found = {}
    for (task, day), expected in truth.items():
        kind = scenario.tasks[task]
        found[task, day] = customers(
            draws(f"customers {task} {day}"),
            expected,
            Service(kind.service_s, kind.spread, kind.patience_s),
        )
    return found


def services(file: RosterFile) -> dict[str, tuple[float, float, Goal]]:
    """By task: seconds of service and patience, and the goal."""
    return {
        name: (task.service_s, task.patience_s, service_goal(task))
        for name, task in file.tasks.items()
        if task.service_s is not None and task.patience_s is not None
    }


def _start(problem: Problem, *rosters: Roster) -> Roster | None:
    """The cheapest legal one by the forecast: the search begins with it."""
    legal = [
        (judged.total, at)
        for at, roster in enumerate(rosters)
        if not (judged := evaluate(problem, roster)).violations
    ]
    return rosters[min(legal)[1]] if legal else None
