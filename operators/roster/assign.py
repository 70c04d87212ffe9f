"""From numbers of a class to persons: whose break is when, and who does which task."""

from __future__ import annotations

from collections import Counter

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
    groups: list[list[int]],
    worked: Values,
    pauses: dict[tuple[int, int], int],
    doing: dict[tuple[int, str, int], int],
    duties: tuple[int, ...],
) -> Roster:
    """The roster: within a class everybody keeps their task for as long as it is needed."""
    kind_of = {person: kind for kind, members in enumerate(groups) for person in members}
    tasks: dict[tuple[int, int], list[str | None]] = {
        key: [None] * (shape.end - shape.start) for key, shape in worked.items()
    }
    for day in range(len(problem.days)):
        last: dict[int, str | None] = {}
        for slot in range(SLOTS):
            there: dict[int, list[int]] = {}
            for (person, on), shape in worked.items():
                pause = pauses.get((person, on))
                resting = pause is not None and pause <= slot < pause + shape.pause
                if on == day and shape.start <= slot < shape.end and not resting:
                    there.setdefault(kind_of[person], []).append(person)
            for kind, people in there.items():
                wanted = {
                    task: doing.get((kind, task, day * SLOTS + slot), 0) for task in problem.tasks
                }
                for person, task in _stay(people, wanted, last).items():
                    shape = worked[person, day]
                    tasks[person, day][slot - shape.start] = task
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


def _stay(
    people: list[int], wanted: dict[str, int], last: dict[int, str | None]
) -> dict[int, str | None]:
    """Who does what: first those who go on with what they did."""
    left = dict(wanted)
    given: dict[int, str | None] = {}
    for person in people:
        task = last.get(person)
        if task is not None and left.get(task, 0) > 0:
            given[person] = task
            left[task] -= 1
    for person in people:
        if person not in given:
            task = next((name for name, count in left.items() if count > 0), None)
            given[person] = task
            if task is not None:
                left[task] -= 1
    return given
