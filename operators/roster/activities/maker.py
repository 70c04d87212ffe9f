"""The cheapest shifts and tasks of one person, by dynamic programming over slots and days.

First what each shift costs with the best tasks in it, for all starts and lengths together; then the
best shifts of the horizon. A state of the days is the run of days so far, the slots at work so
far, and the first start that the rest allows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.roster.activities.problem import SLOTS, ActivityProblem
from operators.roster.activities.tasks import best_tasks, prices_of_shifts
from operators.roster.patterns.cover import Cover, Floats, Pattern, Priced

# What a head too few costs: more than any that are too many.
MISSING = 1_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A shift: its first slot and the task in each slot."""

    start: int
    tasks: tuple[int, ...]


class ActivityMaker:
    """Patterns of a roster with tasks; `detail` of a pattern has the person's stretches."""

    def __init__(self, problem: ActivityProblem) -> None:
        self.problem = problem
        self.people = len(problem.people)
        self.cover = _cover_of(problem)
        self.days = np.arange(self.cover.rows) // (SLOTS * problem.tasks)
        self._priced: tuple[bytes, Floats] = (b"", np.zeros(0))
        starts = np.array(problem.starts)
        self.next = np.stack([self._first_start(length) for length in problem.lengths])
        # For each length, where a new first start begins among the starts.
        self.cuts = [np.flatnonzero(np.diff(one, prepend=-1)) for one in self.next]
        self._slots = (np.arange(problem.days)[:, None] * SLOTS + starts).ravel()

    def _first_start(self, length: int) -> NDArray[np.intp]:
        """By start: the place of the first start that may follow on the next day."""
        problem = self.problem
        found = []
        for start in problem.starts:
            ready = start + length + problem.rest - SLOTS
            if problem.calendar_day(0, start):
                ready = max(ready, problem.midnight)
            found.append(next((at for at, s in enumerate(problem.starts) if s >= ready), None))
        none = len(problem.starts)
        return np.array([none if at is None else at for at in found], dtype=np.intp)

    def best(self, person: int, charges: Floats, many: int = 1) -> Priced:
        """The person's cheapest patterns; see `Maker`."""
        problem, contract = self.problem, self.problem.people[person]
        paid = charges.reshape(problem.days * SLOTS, problem.tasks)
        key = charges.tobytes()
        if self._priced[0] != key:
            self._priced = key, self._prices(paid)
        prices = self._priced[1]
        run = _Run(self, prices, contract.most)
        by_slots = run.ends()
        ends = [end for end in range(contract.least, contract.most + 1) if by_slots[end] < np.inf]
        if not ends:
            return Priced([], np.inf)
        ends.sort(key=lambda end: float(by_slots[end]))
        found = []
        for end in ends[:many]:
            shifts = run.trace(end)
            if self._in_calendar(shifts):
                found.append(self._pattern(person, paid, shifts))
        return Priced(found, float(by_slots[ends[0]]))

    def _prices(self, paid: Floats) -> Floats:
        """What shifts cost by day, start and length."""
        problem = self.problem
        prices = prices_of_shifts(paid, self._slots, problem.lengths, problem.stint)
        return prices.reshape(problem.days, len(problem.starts), len(problem.lengths))

    def _in_calendar(self, shifts: list[tuple[int, int, int]]) -> bool:
        """Whether runs of calendar days are not too long either."""
        problem, run, last = self.problem, 0, -2
        for day, start, _ in shifts:
            on = problem.calendar_day(day, problem.starts[start])
            run = run + 1 if on == last + 1 else 1
            last = on
            if run > problem.longest_run:
                return False
        return True

    def _pattern(self, person: int, paid: Floats, shifts: list[tuple[int, int, int]]) -> Pattern:
        problem = self.problem
        stretches, rows = [], []
        for day, at, length in shifts:
            start = day * SLOTS + problem.starts[at]
            tasks = best_tasks(paid[start : start + length], problem.stint)
            stretches.append(Stretch(start, tuple(tasks)))
            rows += [(start + slot) * problem.tasks + task for slot, task in enumerate(tasks)]
        return Pattern(person, 0, np.array(rows, dtype=np.intp), tuple(stretches))


class _Run:
    """One pass over the days for some prices of shifts."""

    def __init__(self, maker: ActivityMaker, prices: Floats, most: int) -> None:
        self._maker, self._prices, self._most = maker, prices, most
        problem = maker.problem
        runs, many = problem.longest_run, len(problem.starts)
        # Before a day: cost by run so far, slots and start; after it, by the next first start.
        self._ready = np.full((problem.days, runs, most + 1, many), np.inf)
        self._after = np.full((problem.days, runs, most + 1, many + 1), np.inf)
        self._off = np.full((problem.days + 1, most + 1), np.inf)
        self._off[0, 0] = 0.0
        for day in range(problem.days):
            self._step(day)

    def _step(self, day: int) -> None:
        """All states after a day: `_off` of day n is after n days, the last one free."""
        maker, ready, after = self._maker, self._ready[day], self._after[day]
        runs = min(day + 1, len(ready))
        if day == 0:
            ready[0, 0] = 0.0
            self._off[1] = self._off[0]
        else:
            before = self._after[day - 1]
            ready[0] = self._off[day][:, None]
            ready[1:runs] = np.minimum.accumulate(before[: runs - 1, :, :-1], axis=2)
            self._off[day + 1] = np.minimum(self._off[day], before.min(axis=(0, 2)))
        for at, length in enumerate(maker.problem.lengths):
            if length > self._most:
                break
            cost = ready[:runs, : self._most + 1 - length] + self._prices[day, :, at]
            cuts = maker.cuts[at]
            least = np.minimum.reduceat(cost, cuts, axis=2)
            to = after[:runs, length:]
            firsts = maker.next[at][cuts]
            to[:, :, firsts] = np.minimum(to[:, :, firsts], least)

    def ends(self) -> Floats:
        """The least cost by slots at work."""
        least: Floats = np.minimum(self._off[-1], self._after[-1].min(axis=(0, 2)))
        return least

    def trace(self, end: int) -> list[tuple[int, int, int]]:
        """The shifts that led to an end: day, place of the start, slots."""
        shifts: list[tuple[int, int, int]] = []
        slots, after_days = end, self._maker.problem.days
        while after_days > 0:
            worked = self._after[after_days - 1][:, slots]
            if self._off[after_days][slots] <= worked.min():
                after_days -= 1
                continue
            run, upto = int(worked.min(axis=1).argmin()), worked.shape[1]
            for day in range(after_days - 1, after_days - 2 - run, -1):
                upto, length = self._shift(day, run - (after_days - 1 - day), slots, upto)
                shifts.append((day, upto, length))
                slots -= length
            # The day before the first of a run is off.
            after_days = max(0, after_days - 2 - run)
        return shifts[::-1]

    def _shift(self, day: int, run: int, slots: int, upto: int) -> tuple[int, int]:
        """Place of the start and length of the shift after which so many starts are left."""
        lengths = np.array(self._maker.problem.lengths)
        first = int(self._after[day][run, slots, : upto + 1].argmin())
        before = slots - lengths
        cost = np.where(
            (before >= 0)[:, None] & (self._maker.next == first),
            self._ready[day][run, np.maximum(before, 0)] + self._prices[day].T,
            np.inf,
        )
        at, start = np.unravel_index(int(cost.argmin()), cost.shape)
        return int(start), int(lengths[at])


def _cover_of(problem: ActivityProblem) -> Cover:
    heads = np.arange(len(problem.people) + 2)
    least = np.array(problem.least).ravel()[:, None]
    most = np.array(problem.most).ravel()[:, None]
    return Cover(MISSING * np.maximum(0, least - heads) + np.maximum(0, heads - most) ** 2)
