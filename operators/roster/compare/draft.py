"""A roster put together shift by shift: what everybody needs who plans without a solver.

A shift is added only where it keeps availability, hours, rest, days off and days in a row. Breaks
and tasks are given at the end, as somebody in charge of the floor would: breaks when hands are
free, and in each quarter everybody where one more head saves most by the week's forecast.
"""

from __future__ import annotations

from collections import Counter

from operators.roster.legal import forbidden
from operators.roster.problem import SLOTS, SLOTS_AN_HOUR, Problem, Shape
from operators.roster.roster import Roster, Shift


class Draft:
    """Shifts so far, by person and day; `hours` in slots worked by person."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.shifts: dict[tuple[int, int], Shape] = {}
        self.hours: Counter[int] = Counter()
        self._allowed = set(problem.shapes)

    def can(self, person: int, day: int, shape: Shape) -> bool:
        """Whether the person may work so, with what they work already (that day's is replaced)."""
        problem, rules, who = self.problem, self.problem.rules, self.problem.people[person]
        if shape not in self._allowed or any(forbidden(problem, person, day, shape)):
            return False
        before = self.shifts.get((person, day))
        worked = self.hours[person] + shape.worked - (before.worked if before else 0)
        weekly, off = rules.weekly_hours, rules.days_off
        if weekly is not None and worked > min(who.most, weekly.most * SLOTS_AN_HOUR):
            return False
        days = {on for one, on in self.shifts if one == person} | {day}
        if off is not None and len(problem.days) == 7 and 7 - len(days) < off.least:
            return False
        if rules.days_in_a_row is not None:
            run = who.past.run
            for on in range(len(problem.days)):
                run = run + 1 if on in days else 0
                if run > rules.days_in_a_row.most:
                    return False
        return rules.rest is None or self._rested(person, day, shape, rules.rest.hours)

    def _rested(self, person: int, day: int, shape: Shape, hours: float) -> bool:
        before, after = self.shifts.get((person, day - 1)), self.shifts.get((person, day + 1))
        rest = hours * SLOTS_AN_HOUR
        return (before is None or SLOTS + shape.start - before.end >= rest) and (
            after is None or SLOTS + after.start - shape.end >= rest
        )

    def add(self, person: int, day: int, shape: Shape) -> None:
        """The shift, in place of what the person worked that day."""
        before = self.shifts.get((person, day))
        self.hours[person] += shape.worked - (before.worked if before else 0)
        self.shifts[person, day] = shape

    def present(self, day: int, slot: int) -> int:
        """Heads in a slot of a day, breaks not taken off."""
        return sum(
            on == day and shape.start <= slot < shape.end for (_, on), shape in self.shifts.items()
        )

    def short(self, day: int, shape: Shape) -> int:
        """Heads that the forecast's goals lack within a shift, over its slots."""
        return sum(
            max(0, self.problem.heads_needed(day * SLOTS + slot) - self.present(day, slot))
            for slot in range(shape.start, shape.end)
        )

    def wishes_off(self, person: int, day: int) -> bool:
        """Whether the person would like that day off."""
        return any(on == day and wish.off for on, wish in self.problem.people[person].wishes)

    def leave_nobody_alone(self) -> None:
        """Two heads at least in the opening hours: a shift more or a longer one, the shortest."""
        people = range(len(self.problem.people))
        for day in range(len(self.problem.days)):
            for slot in range(*self.problem.open_slots):
                while self.present(day, slot) < 2:
                    options = [
                        (gained, person, shape)
                        for person in people
                        for shape, gained in self._longer(person, day)
                        if shape.start <= slot < shape.end
                    ]
                    if not options:
                        break
                    _, person, shape = min(options)
                    self.add(person, day, shape)

    def _longer(self, person: int, day: int) -> list[tuple[Shape, int]]:
        """Shifts the person could have that day that hold the one there is, and slots gained."""
        there = self.shifts.get((person, day))
        return [
            (shape, shape.worked - (there.worked if there else 0))
            for shape in self.problem.shapes
            if (there is None or (shape.start <= there.start and there.end <= shape.end))
            and shape.worked > (there.worked if there else 0)
            and self.can(person, day, shape)
        ]

    def meet_contracts(self) -> None:
        """Whoever is below the contract's hours gets shifts, where heads are lacking most."""
        for person, who in enumerate(self.problem.people):
            while self.hours[person] < who.least:
                options = []
                for day in range(len(self.problem.days)):
                    there = self.shifts.get((person, day))
                    for shape, gained in self._longer(person, day):
                        enough = min(0, self.hours[person] + gained - who.least)
                        more = self.short(day, shape) - (self.short(day, there) if there else 0)
                        wished = self.wishes_off(person, day)
                        options.append((enough, not wished, more / gained, -day, shape))
                if not options:
                    break
                *_, minus_day, best = max(options)
                self.add(person, -minus_day, best)

    def roster(self) -> Roster:
        """The roster with breaks and tasks."""
        pauses = self._breaks()
        tasks: dict[tuple[int, int], list[str | None]] = {
            key: [None] * (shape.end - shape.start) for key, shape in self.shifts.items()
        }
        for day in range(len(self.problem.days)):
            for slot in range(SLOTS):
                there = [
                    person
                    for (person, on), shape in self.shifts.items()
                    if on == day
                    and shape.start <= slot < shape.end
                    and not self._resting(pauses.get((person, on)), slot)
                ]
                for person, task in self._give(there, day * SLOTS + slot).items():
                    tasks[person, day][slot - self.shifts[person, day].start] = task
        return Roster(
            tuple(
                Shift(*key, shape.start, shape.end, pauses.get(key), tuple(tasks[key]))
                for key, shape in sorted(self.shifts.items(), key=lambda one: one[0][::-1])
            )
        )

    def _resting(self, pause: int | None, slot: int) -> bool:
        return pause is not None and pause <= slot < pause + self.problem.pause

    def _breaks(self) -> dict[tuple[int, int], int]:
        """Each where most hands are free, those with the least choice first."""
        given: dict[tuple[int, int], int] = {}
        away: Counter[tuple[int, int]] = Counter()
        due = [(key, shape) for key, shape in self.shifts.items() if shape.pause]
        for (person, day), shape in sorted(due, key=lambda one: (one[1].last, one[0])):
            spare = {
                slot: self.present(day, slot)
                - away[day, slot]
                - self.problem.heads_needed(day * SLOTS + slot)
                for slot in range(shape.first, shape.last + shape.pause)
            }
            alone = {slot for slot in spare if self.present(day, slot) - away[day, slot] < 2}
            begin = max(
                range(shape.first, shape.last + 1),
                key=lambda at: (
                    alone.isdisjoint(range(at, at + shape.pause)),
                    sum(spare[slot] for slot in range(at, at + shape.pause)),
                    -at,
                ),
            )
            given[person, day] = begin
            away.update((day, slot) for slot in range(begin, begin + shape.pause))
        return given

    def _give(self, people: list[int], slot: int) -> dict[int, str]:
        """A task for everybody there: who can do least is placed first."""
        problem = self.problem
        least = problem.rules.least_heads.heads if problem.rules.least_heads else {}
        heads: Counter[str] = Counter()
        given: dict[int, str] = {}
        for person in sorted(people, key=lambda one: (len(problem.people[one].skills), one)):
            able = [task for task in problem.tasks if task in problem.people[person].skills]
            if not able:
                continue
            task = max(able, key=lambda name: self._saves(name, slot, heads[name], least))
            given[person] = task
            heads[task] += 1
        return given

    def _saves(self, task: str, slot: int, heads: int, least: dict[str, int]) -> tuple[bool, float]:
        """What one more head at a task is worth; where the rule asks for it, more than anything."""
        asked = heads < least.get(task, 0) and self.problem.is_open(slot)
        demand = self.problem.demands[task].get(slot)
        if demand is None:
            return asked, 0.0
        return asked, demand.with_heads(heads) - demand.with_heads(heads + 1)
