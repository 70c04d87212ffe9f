"""The cheapest shifts and tasks of one person, by dynamic programming over slots and days.

First what each shift costs with the best tasks in it, for all starts and lengths together; then the
best shifts of the horizon. A state of the days is the run of days so far, the slots at work so
far, and the first start that the rest allows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.roster.activities.problem import SLOTS, ActivityProblem, Contract
from operators.roster.activities.tasks import best_tasks, prices_of_shifts
from operators.roster.patterns.cover import Cover, Floats, Pattern, Priced

# What a head too few costs: more than any that are too many.
MISSING = 200


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
        # Ends of shifts after which the same starts may follow, sorted by the first of them.
        lengths = np.array(problem.lengths)[:, None]
        late = np.array([problem.calendar_day(0, start) for start in problem.starts])
        keys = np.stack([self.next, starts + lengths, np.broadcast_to(late, self.next.shape)])
        self.ends, ends = np.unique(keys.reshape(3, -1).T, axis=0, return_inverse=True)
        self.end_of = ends.reshape(self.next.shape)
        self.firsts = np.unique(self.ends[:, 0], return_index=True)
        self._states: dict[int, _States] = {}
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
        if contract.most not in self._states:
            self._states[contract.most] = _States(self, contract.most)
        least, found = self._best_shifts(contract, prices, many)
        good = [shifts for shifts in found if self._in_calendar(shifts)]
        if found and not good:
            # Without shifts that begin after midnight, days and calendar days are the same.
            late = np.array([self.problem.calendar_day(0, s) > 0 for s in self.problem.starts])
            early = np.where(late[:, None], np.inf, prices)
            good = self._best_shifts(contract, early, many)[1]
        return Priced([self._pattern(person, paid, shifts) for shifts in good], least)

    def _best_shifts(
        self, contract: Contract, prices: Floats, many: int
    ) -> tuple[float, list[list[tuple[int, int, int]]]]:
        """The least price, and the best shifts for some numbers of slots, the cheapest first."""
        run = _Run(self, prices, contract, self._states[contract.most])
        by_slots = run.ends()
        ends = [end for end in range(contract.least, contract.most + 1) if by_slots[end] < np.inf]
        if not ends:
            return np.inf, []
        ends.sort(key=lambda end: float(by_slots[end]))
        return float(by_slots[ends[0]]), [run.trace(end) for end in ends[:many]]

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


class _States:
    """Room for the states of all days, used again for everybody with as many slots at most.

    Before a day: cost by start, run so far and slots; after it by the next first start instead.
    """

    def __init__(self, maker: ActivityMaker, most: int) -> None:
        problem, size = maker.problem, (maker.problem.longest_run, most + 1)
        many = len(problem.starts)
        self.ready = np.full((problem.days, many, *size), np.inf)
        self.after = np.full((problem.days, many + 1, *size), np.inf)
        self.off = np.full((problem.days + 1, most + 1), np.inf)
        self.ended = np.full((len(maker.ends), *size), np.inf)

    def clear(self) -> None:
        """Nothing can be reached but the beginning."""
        for array in (self.ready, self.after, self.off):
            array.fill(np.inf)
        self.off[0, 0] = 0.0


class _Run:
    """One pass over the days for some prices of shifts."""

    def __init__(
        self, maker: ActivityMaker, prices: Floats, contract: Contract, states: _States
    ) -> None:
        self._maker, self._prices, self._states = maker, prices, states
        self._least, self._most = contract.least, contract.most
        states.clear()
        for day in range(maker.problem.days):
            self._step(day)

    def _step(self, day: int) -> None:
        """All states after a day: `off` of day n is after n days, the last one free."""
        maker, states = self._maker, self._states
        ready, off, ended = states.ready[day], states.off, states.ended
        runs = min(day + 1, maker.problem.longest_run)
        if day == 0:
            ready[:, 0, 0] = 0.0
            off[1] = off[0]
        else:
            before = states.after[day - 1]
            ready[:, 0] = off[day]
            np.minimum.accumulate(before[:-1, : runs - 1], axis=0, out=ready[:, 1:runs])
            off[day + 1] = np.minimum(off[day], before.min(axis=(0, 1)))
        # Slots that so many days give at most, and without which the rest cannot be enough.
        longest = maker.problem.lengths[-1]
        low = max(0, self._least - longest * (maker.problem.days - day))
        high = min(self._most, longest * day)
        ended.fill(np.inf)
        for at, length in enumerate(maker.problem.lengths):
            upto = min(high, self._most - length) + 1
            if upto <= low:
                break
            cost = ready[:, :runs, low:upto] + self._prices[day, :, at, None, None]
            to = ended[:, :runs, low + length : upto + length]
            ends = maker.end_of[at]
            to[ends] = np.minimum(to[ends], cost)
        firsts, cuts = maker.firsts
        states.after[day][firsts] = np.minimum.reduceat(ended, cuts, axis=0)

    def ends(self) -> Floats:
        """The least cost by slots at work."""
        states = self._states
        least: Floats = np.minimum(states.off[-1], states.after[-1].min(axis=(0, 1)))
        return least

    def trace(self, end: int) -> list[tuple[int, int, int]]:
        """The shifts that led to an end: day, place of the start, slots."""
        shifts: list[tuple[int, int, int]] = []
        slots, after_days = end, self._maker.problem.days
        while after_days > 0:
            worked = self._states.after[after_days - 1][:, :, slots]
            if self._states.off[after_days][slots] <= worked.min():
                after_days -= 1
                continue
            run, upto = int(worked.min(axis=0).argmin()), len(worked)
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
        first = int(self._states.after[day][: upto + 1, run, slots].argmin())
        before = slots - lengths
        cost = np.where(
            (before >= 0)[:, None] & (self._maker.next == first),
            self._states.ready[day][:, run, np.maximum(before, 0)].T + self._prices[day].T,
            np.inf,
        )
        at, start = np.unravel_index(int(cost.argmin()), cost.shape)
        return int(start), int(lengths[at])


def _cover_of(problem: ActivityProblem) -> Cover:
    heads = np.arange(len(problem.people) + 2)
    least = np.array(problem.least).ravel()[:, None]
    most = np.array(problem.most).ravel()[:, None]
    return Cover(MISSING * np.maximum(0, least - heads) + np.maximum(0, heads - most) ** 2)
