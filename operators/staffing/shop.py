"""A shop of the roster flow: its roster files by week, and the published roster on one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from operators.roster.need.duties import DutyError
from operators.roster.people_at_work import Presence
from operators.roster.prepare import PrepareError, prepare
from operators.roster.problem import SLOTS, Problem
from operators.roster.published import Plain, of_days
from operators.roster.roster import Roster
from operators.roster.written import UnreadRoster, from_plain
from schemas.roster import RosterFile, TaskNeed


class Shops:
    """Roster files: of several of a shop, the newest that has begun counts."""

    def __init__(self, files: Iterable[RosterFile] = ()) -> None:
        self._by_shop: dict[str, list[RosterFile]] = {}
        for file in files:
            self._by_shop.setdefault(file.shop, []).append(file)
        for mine in self._by_shop.values():
            mine.sort(key=lambda file: file.first_day)

    @property
    def names(self) -> list[str]:
        """The shops there are files of."""
        return sorted(self._by_shop)

    def files(self, store: str) -> list[RosterFile]:
        """All files of a shop, the oldest first."""
        return self._by_shop.get(store, [])

    def of(self, store: str, day: date) -> RosterFile | None:
        """The file for a store's day; before the first one, that one."""
        mine = self._by_shop.get(store)
        if not mine:
            return None
        begun = [file for file in mine if file.first_day <= day]
        return begun[-1] if begun else mine[0]

    def span(self, days: Sequence[date]) -> tuple[str, str]:
        """First and last day of all files that hold one of these days, as texts."""
        firsts, lasts = list(days), list(days)
        for store in self._by_shop:
            for day in days:
                file = self.of(store, day)
                if file is not None:
                    firsts.append(file.first_day)
                    lasts.append(file.first_day + timedelta(days=file.days - 1))
        return min(firsts).isoformat(), max(lasts).isoformat()


class Rostered(NamedTuple):
    """A published roster as its file's problem reads it; `serving` are heads by task and slot."""

    problem: Problem
    roster: Roster
    day: int
    serving: Mapping[tuple[str, int], int]

    def heads(self, task: str, slot: int) -> int:
        """Who serves at a task in a slot of the day."""
        return max(0, self.serving.get((task, self.day * SLOTS + slot), 0))


def rostered(file: RosterFile, plain: Plain | None, day: date) -> Rostered | str | None:
    """What is published for a day; why it cannot be used; or None where nothing is.

    A week of which nothing is published has no roster; a day without shifts in one has nobody.
    """
    at = (day - file.first_day).days
    if plain is None or not 0 <= at < file.days:
        return None
    try:
        problem = prepare(msgspec.structs.replace(file, need=()))
        duties = [duty.name for duty in problem.duties]
        mine = of_days(plain, problem.days, duties)
        if not mine["shifts"]:
            return None
        roster = from_plain(problem, mine)
    except (UnreadRoster, PrepareError, DutyError, IndexError) as wrong:
        return f"{file.shop}: the published roster does not fit its roster file: {wrong}"
    return Rostered(problem, roster, at, Presence(problem, roster).serving)


def with_need(file: RosterFile, need: Sequence[TaskNeed], there: Rostered) -> Problem:
    """The problem of a file with this need: what changes of the day are judged by.

    The published shifts are shapes the shop has, whatever the file says of them.
    """
    problem = prepare(msgspec.structs.replace(file, need=tuple(need), published=()))
    values = {name: getattr(problem, name) for name in Problem.__slots__}
    return Problem(**{**values, "published": there.roster.spans()})
