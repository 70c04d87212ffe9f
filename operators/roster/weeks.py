"""Everybody's weeks, person by person: each the best one beside what the others do.

One person's weeks are a small model (only the rules about single persons), whatever the size of the
shop. What a shift is worth there is the waiting it saves in the tasks that the person can do;
where a rule about people together asks for somebody, that is worth more than any waiting.
Whether breaks, duties and tasks go together is not looked at: that is made day by day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import accumulate

from operators.roster.model import hard, soft
from operators.roster.model.builder import Builder, Linear
from operators.roster.model.places import add_places
from operators.roster.model.shifts import add_shifts
from operators.roster.need.duties import place
from operators.roster.problem import SLOTS, Problem, Shape
from operators.roster.solver import SOLVED, solver_of
from schemas.roster_rules import HARD, SOFT

Shapes = dict[tuple[int, int], Shape]

# The rules about single persons: the others are values here.
_ALONE = {
    *("availability", "rest", "daily_hours", "weekly_hours", "days_in_a_row", "days_off"),
    *("minors", "fixed_assignments", "pay", "wishes", "fair_hours", "steadiness"),
}
_TOGETHER = tuple(name for name in (*HARD, *SOFT) if name not in _ALONE)
# How often everybody's weeks are made, each time beside the last ones of the others.
ROUNDS = 3
# CP-SAT's deterministic seconds for one person, and how near the best is near enough.
PERSON_WORK, PERSON_GAP = 0.5, 0.01


class Crew:
    """Who is there in each slot, as far as it makes others worth more or less there."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        slots = len(problem.days) * SLOTS
        shops = range(max(1, len(problem.shops)))
        self._peaks = [[False] * slots for _ in shops]
        if problem.rules.skilled_at_peak is not None:
            peak = problem.rules.skilled_at_peak.peak_heads
            self._peaks = [
                [problem.heads_needed(slot, shop) >= peak for slot in range(slots)]
                for shop in shops
            ]
        self._due = _due(problem)
        self._heads: Counter[tuple[str, int]] = Counter()
        self._skilled, self._mentors, self._trainees = (
            [[0] * slots for _ in shops] for _ in range(3)
        )
        self._doing: dict[int, list[tuple[str | None, int]]] = {}
        spread = (d.cost[0] - d.cost[-1] for by in problem.demands.values() for d in by.values())
        self._must = 1_000 + max(spread, default=0) + max(who.pay for who in problem.people)

    def worth(self, person: int, slot: int) -> tuple[int, str | None]:
        """What the person would be worth in a slot, and at which task."""
        rules, who = self._problem.rules, self._problem.people[person]
        worth, best = 0, None
        for task in self._problem.tasks:
            if self._problem.can(person, task):
                saved = self._saved(task, slot)
                if saved > worth:
                    worth, best = saved, task
        peak, shop = rules.skilled_at_peak, who.shop
        if peak is not None and self._peaks[shop][slot] and who.grade >= peak.grade:
            worth += self._must * (self._skilled[shop][slot] < peak.people)
        if rules.mentor_beside_trainee is not None:
            places = self._mentors[shop][slot] * rules.mentor_beside_trainee.trainees_per_mentor
            if who.trainee and self._trainees[shop][slot] >= places:
                worth -= 2 * self._must
            elif who.mentor and not who.trainee and self._trainees[shop][slot] > places:
                worth += 2 * self._must
        return worth, best

    def _saved(self, task: str, slot: int) -> int:
        """What one more at a task saves, or that there has to be one more."""
        problem = self._problem
        serving = self._heads[task, slot] - self._due[task, slot]
        least = problem.rules.least_heads
        asked = 0
        if least is not None and problem.is_open(slot, problem.shop_of(task)):
            asked = least.heads.get(task, 0)
        if serving < asked:
            return self._must
        demand = problem.demands[task].get(slot)
        if demand is None:
            return 0
        return demand.with_heads(serving) - demand.with_heads(serving + 1)

    def comes(self, person: int, shapes: Iterable[tuple[int, Shape]]) -> None:
        """The person works these shifts, given with their days."""
        doing = [
            (self.worth(person, slot)[1], slot)
            for day, shape in shapes
            for slot in _slots(day, shape)
        ]
        self._doing[person] = doing
        self._count(person, doing, 1)

    def goes(self, person: int) -> None:
        """The person is not there any more."""
        self._count(person, self._doing.pop(person, []), -1)

    def _count(self, person: int, doing: list[tuple[str | None, int]], by: int) -> None:
        who, peak = self._problem.people[person], self._problem.rules.skilled_at_peak
        for task, slot in doing:
            if task is not None:
                self._heads[task, slot] += by
            if peak is not None and who.grade >= peak.grade:
                self._skilled[who.shop][slot] += by
            self._trainees[who.shop][slot] += by * who.trainee
            self._mentors[who.shop][slot] += by * (who.mentor and not who.trainee)


def weeks(problem: Problem, left: Callable[[], float], seed: int) -> Shapes | None:
    """Shifts that keep every rule about single persons; None where somebody has none, or no time.

    Trainees come last, when the mentors are there.
    """
    crew = Crew(problem)
    groups = sorted(
        problem.groups,
        key=lambda one: (problem.people[one[0]].trainee, -problem.people[one[0]].grade),
    )
    alone = {group[0]: _alone(problem, group) for group in groups}
    made: Shapes = {}
    for turn in range(ROUNDS):
        for group in groups:
            if left() <= 0:
                return made if turn else None
            for person in group:
                crew.goes(person)
            found = _best(alone[group[0]], crew, group, seed)
            if found is None:
                return None
            for person, week in found.items():
                crew.comes(person, week.items())
                for day in range(len(problem.days)):
                    made.pop((person, day), None)
                made.update({(person, day): shape for day, shape in week.items()})
    return made


def _best(
    build: Builder, crew: Crew, group: list[int], seed: int
) -> dict[int, dict[int, Shape]] | None:
    """The shifts by person and day that are worth most, what they cost taken off."""
    days = len(build.problem.days)
    sums = [
        [0, *accumulate(crew.worth(person, slot)[0] for slot in range(days * SLOTS))]
        for person in group
    ]
    gained: list[Linear] = []
    for (at, day), choices in build.choices.items():
        for shape, chosen in choices:
            spans = _spans(day, shape)
            gained.append(sum(sums[at][end] - sums[at][start] for start, end in spans) * chosen)
    build.model.minimize(sum(build.cost) - sum(gained))
    solver = solver_of(60.0, seed)
    solver.parameters.max_deterministic_time = PERSON_WORK
    solver.parameters.relative_gap_limit = PERSON_GAP
    if solver.solve(build.model) not in SOLVED:
        return None
    found: dict[int, dict[int, Shape]] = {person: {} for person in group}
    for (at, day), choices in build.choices.items():
        for shape, chosen in choices:
            if solver.value(chosen):
                found[group[at]][day] = shape
    return found


def _alone(problem: Problem, group: list[int]) -> Builder:
    """The model of one human being, in all shops they work in."""

    def theirs(
        planned: dict[tuple[int, int], tuple[int, int]],
    ) -> dict[tuple[int, int], tuple[int, int]]:
        return {(group.index(at), day): span for (at, day), span in planned.items() if at in group}

    one = replace(
        problem,
        people=tuple(problem.people[person] for person in group),
        rules=problem.rules.without(*_TOGETHER),
        published=theirs(problem.published),
        fixed=theirs(problem.fixed),
    )
    build = Builder(one)
    add_shifts(build)
    add_places(build)
    for rule, add in (*hard.ADD.items(), *soft.ADD.items()):
        if getattr(one.rules, rule) is not None:
            add(build)
    # A share depends on everybody.
    if problem.rules.fair_evenings is not None:
        share = problem.evening_share(group[0])
        soft.add_late_shifts(build, build.groups[0], share, problem.rules.fair_evenings)
    if problem.rules.fair_weekends is not None:
        share = problem.weekend_share(group[0])
        soft.add_weekend_days(build, build.groups[0], share, problem.rules.fair_weekends)
    return build


def _due(problem: Problem) -> Counter[tuple[str, int]]:
    """Heads that duties take, each duty where it disturbs least."""
    due: Counter[tuple[str, int]] = Counter()
    if problem.rules.opening_duties is None:
        return due
    busy = [problem.heads_needed(slot) for slot in range(len(problem.days) * SLOTS)]
    for duty, start in zip(problem.duties, place(problem.duties, busy), strict=True):
        for slot in range(start, start + duty.length):
            due[duty.task, slot] += duty.heads
    return due


def _spans(day: int, shape: Shape) -> list[tuple[int, int]]:
    """The slots at work, from and to, with the break in the middle of its window."""
    base, pause = day * SLOTS, (shape.first + shape.last) // 2
    if not shape.pause:
        return [(base + shape.start, base + shape.end)]
    return [
        (base + shape.start, base + pause),
        (base + pause + shape.pause, base + shape.end),
    ]


def _slots(day: int, shape: Shape) -> list[int]:
    return [slot for start, end in _spans(day, shape) for slot in range(start, end)]
