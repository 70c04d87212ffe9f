"""One simulated shop-week staffed in three ways, with the same customers for each."""

from __future__ import annotations

from collections.abc import Callable

from operators.roster.answer import Budget
from operators.roster.compare.draws import Draws
from operators.roster.compare.greedy import by_need
from operators.roster.compare.manager import by_hand
from operators.roster.compare.measures import Outcome, outcome
from operators.roster.compare.shop import TASKS, WAITING_COST, Counts, shop_week
from operators.roster.compare.simulate import Customer, Service, customers
from operators.roster.evaluate import evaluate
from operators.roster.need.heads import Goal
from operators.roster.prepare import prepare, service_goal
from operators.roster.problem import Problem
from operators.roster.roster import Roster
from operators.roster.solve import solve
from schemas.roster import RosterFile

WAYS = ("by hand", "greedy", "tillflow")
SALES = {task: sale for task, (*_, sale) in TASKS.items()}


def week(
    draws: Callable[[str], Draws],
    people: int,
    clock: Callable[[], float],
    budget: Budget,
    days: int = 7,
    *,
    waiting_cost: int = WAITING_COST,
    busy: float = 1.0,
) -> dict[str, Outcome]:
    """What the three ways come to.

    Args:
        draws: a generator for each purpose, so that none depends on what another has drawn.
        people: how many the shop has.
        clock: counts seconds, for the budget.
        budget: of the search.
        days: of the week.
        waiting_cost: what an hour of one customer's waiting is worth to the shop.
        busy: so many times as many customers as usual.
    """
    shop = shop_week(draws("shop"), people, days, waiting_cost=waiting_cost, busy=busy)
    crowd = crowd_of(draws, shop.truth)
    problem = prepare(shop.file)
    hand = by_hand(problem, shop.usual, services(shop.file))
    greedy = by_need(problem)
    searched = solve(problem, clock, draws("search"), budget, _start(problem, hand, greedy))
    # Without any legal roster in time, the plan is what there was before the search.
    ours = searched.roster or greedy
    return {
        way: outcome(problem, roster, crowd, SALES)
        for way, roster in zip(WAYS, (hand, greedy, ours), strict=True)
    }


def crowd_of(draws: Callable[[str], Draws], truth: Counts) -> dict[tuple[str, int], list[Customer]]:
    """The customers of each task and day; each has a generator of its own."""
    found = {}
    for (task, day), expected in truth.items():
        _, service_s, spread, patience_s, _ = TASKS[task]
        found[task, day] = customers(
            draws(f"customers {task} {day}"), expected, Service(service_s, spread, patience_s)
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
