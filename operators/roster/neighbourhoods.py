"""Parts of a roster to be made anew: whole days, or some people's whole time.

In large shops whole days are solved well and weeks are not: there parts are days, one after the
other, and some people's pairs of days.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from operators.roster.model.builder import Part
from operators.roster.problem import SLOTS, Problem, Shape
from operators.roster.roster import Roster

T = TypeVar("T")
# Cells of a person and a day: where parts begin, and how small and large they get.
FIRST_CELLS, LEAST_CELLS = 20, 6
GROWTH, SHRINK = 1.2, 1.4
# More cells than these are a large shop.
LARGE = 150


class Draws(Protocol):
    """What is needed of `random.Random`: randomness comes from outside, with its seed."""

    def randrange(self, stop: int, /) -> int:
        """A whole number below `stop`."""

    def sample(self, population: range, k: int, /) -> list[int]:
        """Some of them, none twice."""


class Neighbourhoods:
    """Draws parts by turns; their size follows how well the last ones could be solved.

    With `sizes`, the least and the most cells, each part has a size of its own.
    """

    def __init__(
        self, problem: Problem, draws: Draws, sizes: tuple[int, int] | None = None
    ) -> None:
        self._people, self._days = len(problem.people), len(problem.days)
        self._draws = draws
        self._sizes = sizes
        # Whoever says how large parts are wants people's weeks in large shops, too.
        self._is_large = sizes is None and self._people * self._days > LARGE
        first = self._people if self._is_large else FIRST_CELLS
        self._cells = float(min(first, self._people * self._days))
        self._turn = 0

    @property
    def begins_whole(self) -> bool:
        """Whether the first part is everything."""
        return self._cells >= self._people * self._days

    def draw(self, kept: dict[tuple[int, int], Shape]) -> Part:
        """The next part."""
        people, days = self._people, self._days
        if self._sizes is not None:
            least, most = self._sizes
            self._cells = float(least + self._draws.randrange(most - least + 1))
        if self._cells >= people * days:
            chosen = [(person, day) for person in range(people) for day in range(days)]
        elif self._is_large:
            # Each day in turn; now and then two, so that hours can move from one to the other.
            spread = [self._turn % days]
            if self._turn // days % 3 == 2:
                spread.append((self._turn + 1 + self._draws.randrange(days - 1)) % days)
            some = max(2, min(people, int(self._cells) // len(spread)))
            drawn = self._draws.sample(range(people), some)
            chosen = [(person, day) for person in drawn for day in spread]
        elif self._turn % 2 == 0:
            # Some days that follow each other, for all or for some people.
            many = max(1, min(days, int(self._cells) // people))
            first = self._draws.randrange(days - many + 1)
            who = range(people)
            some = min(people, max(2, int(self._cells) // many))
            drawn = list(who) if some >= people else self._draws.sample(who, some)
            chosen = [(person, day) for person in drawn for day in range(first, first + many)]
        else:
            # Some people for all days, or for a fortnight of a longer time.
            span = min(days, 14)
            first = self._draws.randrange(days - span + 1)
            some = min(people, max(2, int(self._cells) // span))
            drawn = self._draws.sample(range(people), some)
            chosen = [(person, day) for person in drawn for day in range(first, first + span)]
        self._turn += 1
        return Part(frozenset(chosen), dict(kept))

    def took(self, proved: bool, better: bool) -> None:
        """Whether the last part was solved to the end, or made the roster better."""
        if proved:
            self._cells = min(self._cells * GROWTH, float(self._people * self._days))
        elif not better:
            self._cells = max(self._cells / SHRINK, float(LEAST_CELLS))

    def is_whole(self, part: Part) -> bool:
        """Whether a part is everything: solved to the end, there is no better roster."""
        return len(part.free) == self._people * self._days


def shapes_of(problem: Problem, roster: Roster) -> dict[tuple[int, int], Shape]:
    """The shapes of a roster's shifts by person and day."""
    return {key: problem.shape(*span) for key, span in roster.spans().items()}


def merged(best: Roster, other: Roster, part: Part) -> Roster:
    """The best roster with the days of a part as another one has them."""
    days = {day for _, day in part.free}
    shifts = [
        *(shift for shift in best.shifts if shift.day not in days),
        *(shift for shift in other.shifts if shift.day in days),
    ]
    duties = tuple(
        there if there // SLOTS in days else kept
        for kept, there in zip(best.duties, other.duties, strict=True)
    )
    return Roster(tuple(sorted(shifts, key=lambda one: (one.day, one.person))), duties)
