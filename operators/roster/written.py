"""A roster in words for files, and back again."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from operators.roster.problem import SLOTS, Problem, clock, slot_of
from operators.roster.roster import Roster, Shift


class UnreadRoster(Exception):
    """A written roster does not belong to this problem; the message says where."""


def to_plain(problem: Problem, roster: Roster) -> dict[str, Any]:
    """Shifts and duties with names, dates and times of day."""
    return {
        "shop": problem.shop,
        "shifts": [_plain_shift(problem, shift) for shift in roster.shifts],
        "duties": [
            {
                "duty": duty.name,
                "date": problem.days[start // SLOTS],
                "start": clock(start % SLOTS),
                "task": duty.task,
                "heads": duty.heads,
            }
            for duty, start in zip(problem.duties, roster.duties, strict=False)
        ],
    }


def _plain_shift(problem: Problem, shift: Shift) -> dict[str, Any]:
    tasks = []
    at = shift.start
    for task, group in groupby(shift.tasks):
        end = at + len(list(group))
        if task is not None:
            tasks.append({"task": task, "start": clock(at), "end": clock(end)})
        at = end
    return {
        "employee": problem.people[shift.person].name,
        **_shop(problem, problem.people[shift.person].shop),
        "date": problem.days[shift.day],
        "start": clock(shift.start),
        "end": clock(shift.end),
        "break": None if shift.pause is None else clock(shift.pause),
        "tasks": tasks,
    }


def _shop(problem: Problem, shop: int) -> dict[str, str]:
    return {"shop": problem.shops[shop].name} if problem.shops else {}


def from_plain(problem: Problem, plain: dict[str, Any]) -> Roster:
    """The roster of a file written by `to_plain`.

    Raises:
        UnreadRoster: it names people or days that the problem does not have.
    """
    people = {problem.label(at): at for at in range(len(problem.people))}
    days = {day: at for at, day in enumerate(problem.days)}
    try:
        shifts = tuple(
            _shift(people[_who(problem, one)], days[one["date"]], one) for one in plain["shifts"]
        )
        starts = tuple(days[one["date"]] * SLOTS + slot_of(one["start"]) for one in plain["duties"])
    except KeyError as wrong:
        msg = f"the roster has {wrong}, which the roster file does not: is it of another week?"
        raise UnreadRoster(msg) from None
    return Roster(shifts, starts)


def _who(problem: Problem, plain: dict[str, Any]) -> str:
    return f"{plain['employee']} in {plain['shop']}" if problem.shops else plain["employee"]


def _shift(person: int, day: int, plain: dict[str, Any]) -> Shift:
    start, end = slot_of(plain["start"]), slot_of(plain["end"])
    tasks: list[str | None] = [None] * (end - start)
    for one in plain["tasks"]:
        for slot in range(slot_of(one["start"]), slot_of(one["end"])):
            tasks[slot - start] = one["task"]
    pause = None if plain["break"] is None else slot_of(plain["break"])
    return Shift(person, day, start, end, pause, tuple(tasks))
