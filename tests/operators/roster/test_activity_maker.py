"""One person's shifts and tasks by dynamic programming, against all there are."""

from __future__ import annotations

from itertools import groupby, pairwise, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.roster.activities.maker import ActivityMaker, Stretch
from operators.roster.activities.problem import SLOTS, ActivityProblem, Contract
from operators.roster.activities.tasks import best_tasks, prices_of_shifts

TASKS, STINT = 2, 2


def problem(days: int, least: int, most: int, longest_run: int = 2) -> ActivityProblem:
    none = tuple((0,) * TASKS for _ in range(days * SLOTS))
    return ActivityProblem(
        days,
        (Contract("ann", least, most),),
        none,
        none,
        starts=(0, 8, 72, 90),
        lengths=range(4, 7),
        rest=20,
        stint=STINT,
        longest_run=longest_run,
        midnight=90,
    )


def all_tasks(length: int) -> list[tuple[int, ...]]:
    return [
        tasks
        for tasks in product(range(TASKS), repeat=length)
        if all(len(list(stint)) >= STINT for _, stint in groupby(tasks))
    ]


def cheapest(one: ActivityProblem, paid: np.ndarray) -> float:
    """The least of all legal choices of shifts, with the best of all tasks in each."""
    shifts: list[tuple[int, int, float] | None] = [None]
    by_day = []
    for day in range(one.days):
        options = list(shifts)
        for start, length in product(one.starts, one.lengths):
            first = day * SLOTS + start
            if first + length <= one.days * SLOTS:
                price = min(
                    sum(paid[first + at, task] for at, task in enumerate(tasks))
                    for tasks in all_tasks(length)
                )
                options.append((first, length, float(price)))
        by_day.append(options)
    best = np.inf
    for chosen in product(*by_day):
        if legal(one, chosen):
            best = min(best, sum(shift[2] for shift in chosen if shift))
    return best


def legal(one: ActivityProblem, chosen: tuple[tuple[int, int, float] | None, ...]) -> bool:
    there = [shift for shift in chosen if shift is not None]
    worked = sum(length for _, length, _ in there)
    rested = all(then[0] - first[0] - first[1] >= one.rest for first, then in pairwise(there))
    calendar = [(first + SLOTS - one.midnight) // SLOTS for first, _, _ in there]
    days = [first // SLOTS for first, _, _ in there]
    runs = all(
        run[-1] - run[0] >= one.longest_run + 1
        for on in (calendar, days)
        for run in (on[at : at + one.longest_run + 1] for at in range(len(on)))
        if len(run) > one.longest_run
    )
    once = len(set(calendar)) == len(calendar)
    return one.people[0].least <= worked <= one.people[0].most and rested and once and runs


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10), st.integers(0, 8), st.integers(1, 2), st.randoms(use_true_random=False))
def test_the_cheapest_shifts_are_the_cheapest_of_all_legal_ones(
    least: int, more: int, longest_run: int, rng: np.random.Generator
) -> None:
    one = problem(3, least, least + more, longest_run)
    paid = np.array([[rng.randint(-9, 9) for _ in range(TASKS)] for _ in range(3 * SLOTS)])  # type: ignore[attr-defined]
    charges = paid.ravel().astype(float)
    priced = ActivityMaker(one).best(0, charges, 3)
    expected = cheapest(one, paid)
    # Runs of calendar days are looked at afterwards, so that the bound may be below.
    assert priced.least <= expected
    for pattern in priced.patterns:
        shifts = [(s.start, len(s.tasks), 0.0) for s in pattern.detail]
        assert legal(one, tuple(shifts))
        assert all(s.tasks in all_tasks(len(s.tasks)) for s in pattern.detail)
        assert charges[pattern.rows].sum() >= expected
    if priced.patterns and longest_run == 2:
        assert priced.least == expected
        assert charges[priced.patterns[0].rows].sum() == expected


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=6, max_size=6))
def test_tasks_of_a_shift_are_the_cheapest_that_stay_long_enough(
    paid: list[tuple[int, int]],
) -> None:
    charges = np.array(paid, dtype=float)
    expected = min(
        sum(paid[at][task] for at, task in enumerate(tasks)) for tasks in all_tasks(len(paid))
    )
    tasks = best_tasks(charges, STINT)
    assert tuple(tasks) in all_tasks(len(paid))
    assert sum(paid[at][task] for at, task in enumerate(tasks)) == expected
    priced = prices_of_shifts(charges, np.array([0]), range(4, 7), STINT)
    assert priced[0, 2] == expected


def test_a_stretch_says_what_is_done_from_when() -> None:
    one = problem(1, 4, 4)
    charges = np.ones((SLOTS, TASKS))
    charges[8:10, 0] = charges[10:12, 1] = -1.0
    (pattern,) = ActivityMaker(one).best(0, charges.ravel()).patterns
    assert pattern.detail == (Stretch(8, (0, 0, 1, 1)),)


def test_days_in_a_row_hold_for_calendar_days_too() -> None:
    # Two shifts after midnight, a day off, two early ones: four calendar days in a row.
    one = problem(5, 16, 16, longest_run=2)
    charges = np.ones((5 * SLOTS, TASKS))
    for first in (90, SLOTS + 90, 3 * SLOTS, 4 * SLOTS):
        charges[first : first + 4] = -5.0
    priced = ActivityMaker(one).best(0, charges.ravel(), 3)
    assert priced.least == -80.0
    (pattern,) = priced.patterns
    assert legal(one, tuple((s.start, len(s.tasks), 0.0) for s in pattern.detail))
    assert charges.ravel()[pattern.rows].sum() > priced.least
