"""A roster with one shift a day at most, of some fixed kinds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of shift: how many minutes it counts, and which kinds may not be the day after."""

    name: str
    minutes: int
    not_before: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on the roster, with the rules of the contract.

    `most_of` has how many shifts of each kind there may be; `off` the days that are free; `costs`
    what (day, kind) costs where it is worked, on top of `base`; runs count working days and days
    off in a row, where one that touches the first or the last day is never too short.
    """

    name: str
    most_of: tuple[int, ...]
    least_minutes: int
    most_minutes: int
    longest_run: int
    shortest_run: int
    shortest_rest: int
    most_weekends: int
    off: frozenset[int] = frozenset()
    base: int = 0
    costs: dict[tuple[int, int], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Heads wanted for a kind on a day: what each one too few costs, and each one too many."""

    day: int
    kind: int
    heads: int
    under: int
    over: int


@dataclass(frozen=True, slots=True)
class DailyProblem:
    """A daily roster to be made; the first day is a Monday."""

    days: int
    kinds: tuple[Kind, ...]
    members: tuple[Member, ...]
    wanted: tuple[Wanted, ...]
