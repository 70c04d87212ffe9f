"""The cheapest weeks of one person with fixed kinds of shifts, by dynamic programming over days.

A state is a day's kind (or off), how long the run is, the shifts so far, the weekends worked and
the shifts of kinds of which there may be only a few. Kinds that nobody can tell apart (as long, as
free to follow each other, no limit) are one: the cheapest of the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from operators.roster.daily.problem import DailyProblem, Member
from operators.roster.patterns.cover import Cover, Floats, Pattern, Priced

# States for limited kinds, at most: a limit beyond is kept by a charge on the kind.
LIMIT_STATES = 16
# How often a charge on a kind is raised before the person has no pattern for these charges.
RAISES = 12


@dataclass(frozen=True, slots=True)
class _Group:
    """Kinds that nobody can tell apart; `counted` is the place of their limit among the states."""

    kinds: tuple[int, ...]
    units: int
    after: tuple[int, ...]
    step: int


class DailyMaker:
    """Patterns of a daily roster; `detail` of a pattern is the kind of each day, -1 for off."""

    def __init__(self, problem: DailyProblem) -> None:
        self.problem = problem
        self.people = len(problem.members)
        self.cover, self._row = _cover_of(problem)
        self.days = np.array([one.day for one in problem.wanted], dtype=np.intp)
        self._weeks = [
            _Weeks(problem, member, self._row, person)
            for person, member in enumerate(problem.members)
        ]

    def best(self, person: int, charges: Floats, many: int = 1) -> Priced:
        """The person's cheapest patterns; see `Maker`."""
        return self._weeks[person].best(charges, many)


def _cover_of(problem: DailyProblem) -> tuple[Cover, NDArray[np.intp]]:
    """The cost of heads, and the row of each day and kind (one past the last where none)."""
    heads = np.arange(len(problem.members) + 2)
    table = np.zeros((len(problem.wanted), len(heads)), dtype=np.int64)
    row = np.full((problem.days, len(problem.kinds)), len(problem.wanted), dtype=np.intp)
    for at, one in enumerate(problem.wanted):
        table[at] = one.under * np.maximum(0, one.heads - heads)
        table[at] += one.over * np.maximum(0, heads - one.heads)
        row[one.day, one.kind] = at
    return Cover(table), row


class _Weeks:
    """One person's dynamic program."""

    def __init__(
        self, problem: DailyProblem, member: Member, row: NDArray[np.intp], person: int
    ) -> None:
        self._problem, self._member, self._row, self._person = problem, member, row, person
        kinds = [kind for kind, most in enumerate(member.most_of) if most > 0]
        shortest = min((problem.kinds[kind].minutes for kind in kinds), default=1)
        most = min(problem.days, member.most_minutes // shortest)
        self._limited = sorted(
            (member.most_of[kind], kind) for kind in kinds if member.most_of[kind] < most
        )
        self._counted: list[int] = []
        states = 1
        for limit, kind in self._limited:
            if states * (limit + 1) <= LIMIT_STATES:
                states *= limit + 1
                self._counted.append(kind)
        self._groups = self._grouped(kinds)
        self._own = np.full((problem.days, len(problem.kinds)), np.inf)
        self._own[:, kinds] = 0.0
        self._own[sorted(member.off)] = np.inf
        for (day, kind), cost in member.costs.items():
            self._own[day, kind] += cost
        self._set_sizes(kinds, states)

    def _grouped(self, kinds: list[int]) -> list[_Group]:
        problem = self._problem
        same: dict[tuple[object, ...], list[int]] = {}
        limited = {kind for _, kind in self._limited}
        for kind in kinds:
            one = problem.kinds[kind]
            before = frozenset(k for k in kinds if kind in problem.kinds[k].not_before)
            key = (one.minutes, one.not_before & frozenset(kinds), before)
            same.setdefault((key, kind if kind in limited else -1), []).append(kind)
        lists = list(same.values())
        self._unit = gcd(*(problem.kinds[kind].minutes for kind in kinds)) if kinds else 1
        strides, stride = {}, 1
        for kind in self._counted:
            strides[kind] = stride
            stride *= self._member.most_of[kind] + 1
        groups = []
        for mine in lists:
            after = tuple(
                at
                for at, other in enumerate(lists)
                if mine[0] not in problem.kinds[other[0]].not_before
            )
            units = problem.kinds[mine[0]].minutes // self._unit
            groups.append(_Group(tuple(mine), units, after, strides.get(mine[0], 0)))
        return groups

    def _set_sizes(self, kinds: list[int], states: int) -> None:
        member, days = self._member, self._problem.days
        self._units = member.most_minutes // self._unit
        weekends = (days + 1) // 7
        self._weekends = min(member.most_weekends, weekends)
        self._states = states
        size = (self._units + 1, self._weekends + 1, states)
        groups = max(1, len(self._groups))
        self._work = np.full((days, groups, member.longest_run, *size), np.inf)
        self._off = np.full((days, max(1, member.shortest_rest), *size), np.inf)
        least = -(-member.least_minutes // self._unit)
        self._ends = range(least, self._units + 1)
        # Whether one shift more of a counted kind is still within its limit, by state.
        self._may: list[NDArray[np.intp]] = []
        digits, stride = np.arange(states), 1
        for kind in self._counted:
            width = member.most_of[kind] + 1
            self._may.append(np.flatnonzero(digits // stride % width < width - 1))
            stride *= width

    def best(self, charges: Floats, many: int) -> Priced:
        """The cheapest patterns; charges on kinds keep the limits that are not in the states."""
        own = self._own + np.append(charges, 0.0)[self._row]
        least, found = self._solve(own, many)
        good = [kinds for kinds in found if self._within(kinds)]
        extra = np.zeros(len(self._problem.kinds))
        for raised in range(RAISES):
            if good or not found:
                break
            for kind in self._broken(found[0]):
                extra[kind] += 1.0 + raised * raised
            _, found = self._solve(own + extra, many)
            good = [kinds for kinds in found if self._within(kinds)]
        return Priced([self._pattern(kinds) for kinds in good], least + self._member.base)

    def _broken(self, kinds: NDArray[np.int64]) -> list[int]:
        return [k for most, k in self._limited if np.count_nonzero(kinds == k) > most]

    def _within(self, kinds: NDArray[np.int64]) -> bool:
        return not self._broken(kinds)

    def _pattern(self, kinds: NDArray[np.int64]) -> Pattern:
        days = np.flatnonzero(kinds >= 0)
        rows = self._row[days, kinds[days]]
        costs = self._member.costs
        cost = sum(costs.get((int(day), int(kinds[day])), 0) for day in days)
        rows = rows[rows < len(self._problem.wanted)]
        return Pattern(self._person, self._member.base + cost, rows, kinds)

    def _solve(self, price: Floats, many: int) -> tuple[float, list[NDArray[np.int64]]]:
        """The least price, and the best kinds for some numbers of minutes, the cheapest first."""
        cheapest = [
            np.take(group.kinds, np.argmin(price[:, group.kinds], axis=1)) for group in self._groups
        ]
        days = np.arange(self._problem.days)
        paid = [price[days, kinds] for kinds in cheapest]
        for day in range(self._problem.days):
            self._step(day, [one[day] for one in paid])
        last = np.minimum(self._work[-1].min(axis=(0, 1)), self._off[-1].min(axis=0))
        by_units = last.min(axis=(1, 2))
        ends = [end for end in self._ends if np.isfinite(by_units[end])]
        ends.sort(key=lambda end: float(by_units[end]))
        found = []
        for end in ends[:many]:
            weekends, state = np.unravel_index(int(last[end].argmin()), last[end].shape)
            groups = self._trace(paid, (end, int(weekends), int(state)))
            kinds = np.full(self._problem.days, -1, dtype=np.int64)
            for day, group in enumerate(groups):
                if group >= 0:
                    kinds[day] = cheapest[group][day]
            found.append(kinds)
        return (float(by_units[ends[0]]) if ends else np.inf), found

    def _step(self, day: int, paid: list[float]) -> None:
        """All states of a day from those of the day before."""
        work, off = self._work[day], self._off[day]
        work.fill(np.inf)
        off.fill(np.inf)
        member = self._member
        begins = None
        if day == 0:
            off[0, 0, 0, 0] = 0.0
            begins = np.full(off.shape[1:], np.inf)
            begins[0, 0, 0] = 0.0
        else:
            before, rested = self._work[day - 1], self._off[day - 1]
            for run in self._may_end(day):
                np.minimum(off[0], before[:, run - 1].min(axis=0), out=off[0])
            off[1:] = rested[:-1]
            np.minimum(off[-1], rested[-1], out=off[-1])
            begins = rested[-1]
            if day < len(rested):
                begins = np.minimum(begins, rested[day - 1])
        saturday, sunday = day % 7 == 5, day % 7 == 6
        for at, group in enumerate(self._groups):
            if not np.isfinite(paid[at]):
                continue
            self._move(work[at, 0], begins, group, paid[at], weekend=saturday or sunday)
            if day and member.longest_run > 1:
                going = self._work[day - 1][group.after, :-1].min(axis=0)
                self._move(work[at, 1:], going, group, paid[at], weekend=saturday)

    def _may_end(self, day: int) -> list[int]:
        """Runs that may be over before a day: long enough, or all days so far."""
        member = self._member
        return [
            run
            for run in range(1, min(day, member.longest_run) + 1)
            if run >= member.shortest_run or run == day
        ]

    def _move(
        self, to: Floats, source: Floats, group: _Group, paid: float, *, weekend: bool
    ) -> None:
        """Adds a shift: minutes, maybe a weekend, maybe one of a counted kind."""
        units, week = group.units, int(weekend)
        if units > self._units or week > self._weekends:
            return
        to = to[..., units:, week:, :]
        source = source[..., : self._units + 1 - units, : self._weekends + 1 - week, :]
        if group.step:
            may = self._may[self._counted.index(group.kinds[0])]
            to[..., may + group.step] = source[..., may] + paid
        else:
            np.add(source, paid, out=to)

    def _trace(self, paid: list[Floats], end: tuple[int, int, int]) -> list[int]:
        """The groups of the days that led to an end, -1 for off."""
        days = self._problem.days
        groups = [-1] * days
        units, weekends, state = end
        at_work = self._work[-1][:, :, units, weekends, state]
        at_off = self._off[-1][:, units, weekends, state]
        group, run = (int(i) for i in np.unravel_index(int(at_work.argmin()), at_work.shape))
        if at_off.min() <= at_work[group, run]:
            group, run = -1, int(at_off.argmin())
        for day in range(days - 1, -1, -1):
            groups[day] = group
            if day == 0:
                break
            if group < 0:
                here = self._off[day][run, units, weekends, state]
                group, run = self._before_off(day, run, (units, weekends, state), here)
                continue
            one = self._groups[group]
            here = self._work[day][group, run, units, weekends, state]
            units -= one.units
            state -= one.step
            if day % 7 == 5 or (day % 7 == 6 and run == 0):
                weekends -= 1
            if run:
                values = self._work[day - 1][list(one.after), run - 1, units, weekends, state]
                at = int(np.abs(values + paid[group][day] - here).argmin())
                group, run = one.after[at], run - 1
            else:
                values = self._off[day - 1][:, units, weekends, state]
                may = [o for o in range(len(values)) if o == len(values) - 1 or o == day - 1]
                run = min(may, key=lambda o: float(values[o]))
                group = -1
        return groups

    def _before_off(
        self, day: int, run: int, at: tuple[int, int, int], here: float
    ) -> tuple[int, int]:
        """What came before a day off in a run of so many."""
        rested = self._off[day - 1][(slice(None), *at)]
        if run == len(rested) - 1 and rested[-1] == here:
            return -1, run
        if run and rested[run - 1] == here:
            return -1, run - 1
        worked = self._work[day - 1][(slice(None), slice(None), *at)]
        for ended in self._may_end(day):
            for group in range(len(self._groups)):
                if worked[group, ended - 1] == here:
                    return group, ended - 1
        msg = "a day off that no day leads to: the states and their trace differ"
        raise AssertionError(msg)
