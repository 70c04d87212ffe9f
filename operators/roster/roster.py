"""A roster: who works when, with the break and the task of every quarter of an hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Shift(NamedTuple):
    """One person's day; slots count from the day's midnight.

    `tasks` has the task of each slot from `start` to `end`, None in the break (and where there is
    nothing to do for this person). `pause` is the slot the break begins, None without one.
    """

    person: int
    day: int
    start: int
    end: int
    pause: int | None
    tasks: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """All shifts of a problem, and the slot each duty begins (slots from the first day)."""

    shifts: tuple[Shift, ...]
    duties: tuple[int, ...] = ()

    def spans(self) -> dict[tuple[int, int], tuple[int, int]]:
        """Start and end by person and day."""
        return {(one.person, one.day): (one.start, one.end) for one in self.shifts}
