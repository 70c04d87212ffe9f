"""Reads the classical shift-scheduling instances (Curtois and Qu, 2014)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.roster.sections import sections

_WANTED = (
    *("HORIZON", "SHIFTS", "STAFF", "DAYS_OFF"),
    *("SHIFT_ON_REQUESTS", "SHIFT_OFF_REQUESTS", "COVER"),
)


@dataclass(frozen=True, slots=True)
class Staff:
    """A line of the staff section."""

    most_of: dict[str, int]
    most_minutes: int
    least_minutes: int
    longest_run: int
    shortest_run: int
    shortest_rest: int
    most_weekends: int


@dataclass(frozen=True, slots=True)
class Classical:
    """An instance in the words of its file.

    `on` and `off` are requests by (person, day, shift) with their weight; `cover` has
    (requirement, weight under, weight over) by (day, shift).
    """

    name: str
    days: int
    minutes: dict[str, int]
    cannot_follow: dict[str, frozenset[str]]
    staff: dict[str, Staff]
    days_off: dict[str, frozenset[int]]
    on: dict[tuple[str, int, str], int]
    off: dict[tuple[str, int, str], int]
    cover: dict[tuple[int, str], tuple[int, int, int]]


def read_classical(path: Path) -> Classical:
    """The instance in a file."""
    found = sections(path, _WANTED)
    minutes, cannot_follow = {}, {}
    for name, length, after in found["SHIFTS"]:
        minutes[name] = int(length)
        cannot_follow[name] = frozenset(after.split("|")) - {""}
    staff = {}
    for name, most_of, most, least, longest, shortest, rest, weekends in found["STAFF"]:
        limits = dict(one.split("=") for one in most_of.split("|"))
        staff[name] = Staff(
            {shift: int(limit) for shift, limit in limits.items()},
            int(most),
            int(least),
            int(longest),
            int(shortest),
            int(rest),
            int(weekends),
        )
    return Classical(
        path.stem,
        int(found["HORIZON"][0][0]),
        minutes,
        cannot_follow,
        staff,
        {name: frozenset(map(int, days)) for name, *days in found["DAYS_OFF"]},
        {(n, int(d), s): int(w) for n, d, s, w in found["SHIFT_ON_REQUESTS"]},
        {(n, int(d), s): int(w) for n, d, s, w in found["SHIFT_OFF_REQUESTS"]},
        {(int(d), s): (int(n), int(u), int(o)) for d, s, n, u, o in found["COVER"]},
    )
