"""A CP-SAT model in the making; with reasons, each hard rule hangs on a literal of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ortools.sat.python import cp_model

from operators.roster.problem import SLOTS, Problem, Shape
from operators.roster.reasons import Reason

# OR-Tools' expressions have no types that would say more than this.
Linear = Any
Choice = tuple[Shape, Linear]


class Part(NamedTuple):
    """A part of a roster that may change: cells of a person and a day; the others are `kept`."""

    free: frozenset[tuple[int, int]]
    kept: dict[tuple[int, int], Shape]


class Builder:
    """The model, its variables, and what they cost.

    Of a part of a roster, `days` and `people` are those that change: only their rules are there.
    `choices` has the shapes of each person and day with the variable that says it is worked;
    `work` whether the person works that day; `inside` how many of a class of people are at work in
    a slot; `asked` how many heads a task has in a slot, with those for duties; `pauses` how many of
    a class begin a break; `begins` whether a duty begins in a slot. `slacks` of a loose model let
    through what the rules allow: without them it forbids a little more.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        explain: bool = False,
        part: Part | None = None,
        loose: bool = False,
    ) -> None:
        self.problem = problem
        self.loose = loose
        self.part = part
        self.days = list(range(len(problem.days)))
        self.people = list(range(len(problem.people)))
        if part is not None:
            self.days = sorted({day for _, day in part.free})
            self.people = sorted({person for person, _ in part.free})
        # Everybody whose week may change, with all the shops they work in.
        self.groups = [one for one in problem.groups if not set(one).isdisjoint(self.people)]
        self.model = cp_model.CpModel()
        self.explain = explain
        self.reasons: dict[Reason, cp_model.IntVar] = {}
        self.choices: dict[tuple[int, int], list[Choice]] = {}
        self.work: dict[tuple[int, int], Linear] = {}
        self._works: dict[tuple[int, int], Linear] = {}
        self.inside: dict[tuple[int, int], cp_model.IntVar] = {}
        self.asked: dict[tuple[str, int], Linear] = {}
        self.pauses: dict[tuple[int, int, int], cp_model.IntVar] = {}
        self.begins: dict[tuple[int, int], cp_model.IntVar] = {}
        self.slacks: list[cp_model.IntVar] = []
        self.classes: list[list[int]] = []
        self.cost: list[Linear] = []

    def require(self, reason: Reason, constraint: Linear) -> None:
        """A hard rule; when explaining, it holds only where its literal does."""
        if self.explain:
            constraint.only_enforce_if(self.literal(reason))

    def literal(self, reason: Reason) -> cp_model.IntVar:
        """The literal of a reason."""
        if reason not in self.reasons:
            self.reasons[reason] = self.model.new_bool_var(f"{reason.rule}: {reason.text}")
        return self.reasons[reason]

    def slots(self) -> Iterator[int]:
        """The slots of the days that change."""
        for day in self.days:
            yield from range(day * SLOTS, (day + 1) * SLOTS)

    def flag(self, name: str) -> cp_model.IntVar:
        """A yes or no."""
        return self.model.new_bool_var(name)

    def count(self, most: int, name: str) -> cp_model.IntVar:
        """A number from 0 to `most`."""
        return self.model.new_int_var(0, most, name)

    def pay(self, rule: str, expression: Linear) -> None:
        """A soft rule's cost."""
        if not self.explain:
            self.cost.append(expression)

    def can(self, kind: int, task: str) -> bool:
        """Whether people of a class may do a task."""
        return self.problem.can(self.classes[kind][0], task)

    def worked(self, group: list[int], days: Iterable[int]) -> Linear:
        """Slots at work over some days, in all shops."""
        return sum(
            shape.worked * chosen
            for day in days
            for person in group
            for shape, chosen in self.choices[person, day]
        )

    def works(self, group: list[int], day: int) -> Linear:
        """Whether somebody works that day, in whatever shop."""
        if len(group) == 1:
            return self.work[group[0], day]
        key = group[0], day
        if key not in self._works:
            each = [self.work[person, day] for person in group]
            if all(isinstance(one, int) for one in each):
                self._works[key] = max(each)
            else:
                works = self._works[key] = self.flag(f"somewhere {group[0]} {day}")
                self.model.add(works <= sum(each))
                for one in each:
                    self.model.add(works >= one)
        return self._works[key]
