"""From numbers to persons: whose break is when, and who does which task."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from operators.roster.match import match
from operators.roster.problem import SLOTS, Problem, Shape
from operators.roster.roster import Roster, Shift

Values = dict[tuple[int, int], Shape]


def give_breaks(
    members: list[int], day: int, worked: Values, begins: Counter[int]
) -> dict[tuple[int, int], int]:
    """The slot of each break in a class: whose window ends first goes first."""
    waiting = sorted(
        (shape.last, shape.first, person)
        for person in members
        if (shape := worked.get((person, day))) is not None and shape.pause
    )
    given = {}
    for slot in sorted(begins):
        for _ in range(begins[slot]):
            at = next(i for i, (last, first, _) in enumerate(waiting) if first <= slot <= last)
            given[waiting.pop(at)[2], day] = slot
    assert not waiting, "a class has fewer breaks than its shifts are due"
    return given


def assemble(
    problem: Problem,
    worked: Values,
    pauses: dict[tuple[int, int], int],
    asked: Mapping[tuple[str, int], int],
    duties: tuple[int, ...],
) -> Roster:
    """The roster: everybody keeps their task for as long as it is needed; free hands help."""
    tasks: dict[tuple[int, int], list[str | None]] = {
        key: [None] * (shape.end - shape.start) for key, shape in worked.items()
    }
    on_duty = _on_duty(problem, duties)
    by_day: dict[int, list[int]] = defaultdict(list)
    for person, day in worked:
        by_day[day].append(person)
    for day, people in by_day.items():
        last: dict[int, str | None] = {}
        for within in range(
            min(worked[person, day].start for person in people),
            max(worked[person, day].end for person in people),
        ):
            slot = day * SLOTS + within
            there = {
                person: _able(problem, person)
                for person in people
                if _is_at_work(worked[person, day], pauses.get((person, day)), within)
            }
            wanted = {task: asked.get((task, slot), 0) for task in problem.tasks}
            given = match(wanted, there, last)
            _help(problem, slot, there, given, on_duty)
            for person in there:
                task = given.get(person)
                tasks[person, day][within - worked[person, day].start] = task
                last[person] = task
    shifts = tuple(
        Shift(
            person,
            day,
            shape.start,
            shape.end,
            pauses.get((person, day)),
            tuple(tasks[person, day]),
        )
        for (person, day), shape in sorted(worked.items(), key=lambda one: (one[0][1], one[0][0]))
    )
    return Roster(shifts, duties)


def _able(problem: Problem, person: int) -> tuple[str, ...]:
    return tuple(task for task in problem.tasks if problem.can(person, task))


def _is_at_work(shape: Shape, pause: int | None, within: int) -> bool:
    resting = pause is not None and pause <= within < pause + shape.pause
    return shape.start <= within < shape.end and not resting


def _on_duty(problem: Problem, duties: tuple[int, ...]) -> Counter[tuple[str, int]]:
    """Heads that duties take off a task."""
    taken: Counter[tuple[str, int]] = Counter()
    for duty, start in zip(problem.duties, duties, strict=False):
        for slot in range(start, start + duty.length):
            taken[duty.task, slot] += duty.heads
    return taken


def _help(
    problem: Problem,
    slot: int,
    there: Mapping[int, Sequence[str]],
    given: dict[int, str],
    on_duty: Mapping[tuple[str, int], int],
) -> None:
    """Free hands go where customers are expected: to the task with the fewest by its need."""
    serving = Counter(given.values())
    for person in sorted(there.keys() - given.keys(), key=lambda one: (len(there[one]), one)):
        busy = [
            (
                (serving[task] - on_duty.get((task, slot), 0)) / demand.heads,
                problem.tasks.index(task),
            )
            for task in there[person]
            if (demand := problem.demands[task].get(slot)) is not None and demand.heads
        ]
        if busy:
            task = problem.tasks[min(busy)[1]]
            given[person] = task
            serving[task] += 1
