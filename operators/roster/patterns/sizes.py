"""Which people's patterns are made anew in which days: sizes follow what parts took."""

from __future__ import annotations

from operators.roster.neighbourhoods import Draws

# A part should take so many seconds: larger ones are made smaller.
PART_S = 3.0
GROWTH, SHRINK = 1.15, 1.25
# At first: people for all days (a share of them where that is more), everybody for some days.
FIRST_PEOPLE, FIRST_SHARE, FIRST_DAYS = 5.0, 0.4, 5.0


class Sizes:
    """Draws parts by turns: some people for all days, everybody for some days."""

    def __init__(self, people: int, days: int) -> None:
        self._people, self._days = people, days
        self._some = min(max(FIRST_PEOPLE, FIRST_SHARE * people), float(people))
        self._window = min(FIRST_DAYS, float(days))
        self._turn = 0

    def draw(self, draws: Draws) -> tuple[list[int], range]:
        """The people and the days of the next part."""
        self._turn += 1
        if self._turn % 2:
            return draws.sample(range(self._people), round(self._some)), range(self._days)
        length = round(self._window)
        first = draws.randrange(self._days - length + 1)
        return list(range(self._people)), range(first, first + length)

    def took(self, seconds: float, gains: bool, most: float = 0.0) -> None:
        """How long the last part took, and whether there was something to gain.

        Parts may take `most` seconds where that is more than usual: as long as one for everybody.
        """
        if seconds > max(PART_S, most):
            factor = 1 / SHRINK
        elif not gains:
            factor = GROWTH
        else:
            return
        if self._turn % 2:
            self._some = min(max(2.0, self._some * factor), float(self._people))
        else:
            self._window = min(max(2.0, self._window * factor), float(self._days))
