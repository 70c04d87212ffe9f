"""The best roster of patterns within a budget, with the bound that no roster is below.

A first roster gives everybody the best pattern beside those of the others, in turns. Column
generation gives the bound, and a dive a roster near it. Then some people's patterns are made anew
beside those of the others: a linear program that cannot beat what they have says so at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from operators.roster.neighbourhoods import Draws
from operators.roster.patterns.cover import Cover, Floats, Maker, Pattern, total
from operators.roster.patterns.generate import SHARES, Generator, Relaxed
from operators.roster.patterns.sizes import PART_S, Sizes
from operators.roster.patterns.whole import choose

# How often everybody's pattern is made anew at first.
ROUNDS = 5
# A part that can save less than one in so many of what is above the bound is left as it is.
WORTHWHILE = 30
# A choice of whole patterns takes so long at most: seconds, and share of the budget.
CHOICE_S, CHOICE_SHARE = 1.0, 0.02
# People are swapped until so long nothing got better, with noise of these sizes in the charges.
SWAPPING_S, SWAPPING, NOISES = 1.0, 0.05, (0.01, 0.1, 0.5)
# After parts that brought nothing that time gets longer, up to so many times that of the part.
LENGTHEN, SWAPS_A_PART = 1.5, 3.0
# Where the linear program of everybody is too large, those of parts are slow, too.
SWAPS_A_SLOW_PART = 10.0
# That time as a share of the budget before the linear program of everybody.
FIRST_SWAPS = 0.03
# The share of the budget for the linear program of everybody: a dive from one that is not at its
# end is better than none.
RELAXING = 0.25
# A linear program that is not so near its bound by then says too little for a dive.
TOLD = 0.1
# The share of the budget that a dive may take: one that is not at its end by then is the last.
DIVING = 0.6
# Of all patterns known, those that may matter: so many for a choice among everybody's.
POOL = 4_000


@dataclass(frozen=True, slots=True)
class Found:
    """The best roster of patterns, by person; its cost, and what no roster costs less than.

    `course` has the costs on the way, with their seconds.
    """

    patterns: tuple[Pattern, ...]
    cost: int
    bound: int | None
    seconds: float
    course: tuple[tuple[float, int], ...]


class PatternSearch:
    """One search: the clock and the randomness come from outside."""

    def __init__(
        self,
        maker: Maker,
        cover: Cover,
        clock: Callable[[], float],
        draws: Draws,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._maker, self._cover, self._draws, self._told = maker, cover, draws, told
        self._clock, self._began = clock, clock()
        self._seconds = 0.0
        self._enough: int | None = None
        self._root: tuple[Generator, Relaxed] | None = None
        self._dived = self._dive_s = 0.0
        self._dives = 0
        self._best: list[Pattern] = []
        self._cost = 0
        self._bound: int | None = None
        self._seed = 0
        self._course: list[tuple[float, int]] = []

    def run(self, seconds: float, enough: int | None = None) -> Found | None:
        """The best roster; None where somebody has no legal pattern at all.

        It ends when the time is up, when the cost is the bound, or not above `enough`.
        """
        self._seconds, self._enough = seconds, enough
        first = self._first()
        if first is None:
            return None
        self._best, self._cost = first, total(self._cover, first)
        self._tell("first, person by person")
        self._swap(max(self._patience(), FIRST_SWAPS * seconds))
        if not self._done():
            self._relax(Generator(self._maker, self._cover, self._best))
        if not self._done():
            self._improve()
        course = tuple(self._course)
        return Found(tuple(self._best), self._cost, self._bound, self._elapsed(), course)

    def _elapsed(self) -> float:
        return self._clock() - self._began

    def _left(self) -> float:
        return self._seconds - self._elapsed()

    def _done(self) -> bool:
        reached = [one for one in (self._bound, self._enough) if one is not None]
        return self._left() <= 0 or any(self._cost <= one for one in reached)

    def _tell(self, how: str) -> None:
        self._course.append((self._elapsed(), self._cost))
        self._told(f"{self._elapsed():7.1f} s  cost {self._cost:>9,}  {how}")

    def _first(self) -> list[Pattern] | None:
        """Everybody's pattern the best beside those of the others, until none gets better."""
        cover = self._cover
        made: dict[int, Pattern] = {}
        heads = cover.heads(())
        for turn in range(ROUNDS):
            better = False
            for person in range(self._maker.people):
                old = made.get(person)
                if old is not None:
                    heads[old.rows] -= 1
                charges = cover.one_more(heads)
                found = self._maker.best(person, charges).patterns
                new = found[0] if found else old
                if new is None:
                    return None
                if old is None or _priced(new, charges) < _priced(old, charges):
                    made[person] = new
                    better = True
                heads[made[person].rows] += 1
            if not better or (turn and self._left() <= 0):
                break
        return [made[person] for person in range(self._maker.people)]

    def _take(self, patterns: Iterable[Pattern] | None, how: str) -> bool:
        """Keeps patterns in place of those of the same people, if that is better."""
        if patterns is None:
            return False
        trial = list(self._best)
        for pattern in patterns:
            trial[pattern.person] = pattern
        cost = total(self._cover, trial)
        if cost >= self._cost:
            return False
        self._best, self._cost = trial, cost
        self._tell(how)
        return True

    def _relax(self, root: Generator) -> None:
        """The bound, and a dive."""
        until = self._elapsed() + RELAXING * self._left()
        relaxed = root.relax(lambda: until - self._elapsed())
        if relaxed is None:
            return
        if math.isfinite(relaxed.bound):
            self._bound = relaxed.whole_bound
            self._told(f"{self._elapsed():7.1f} s  no roster costs less than {self._bound:,}")
        if relaxed.solution.cost - relaxed.bound > TOLD * abs(relaxed.solution.cost):
            return
        self._root = root, relaxed
        if not self._done():
            self._dive()

    def _dive(self) -> None:
        """Another way down from the linear program of everybody."""
        if self._root is None:
            return
        began, (root, relaxed) = self._elapsed(), self._root
        until = min(self._seconds, began + DIVING * self._seconds)
        share = SHARES[self._dives % len(SHARES)]
        self._dives += 1
        found = root.dive(relaxed, lambda: until - self._elapsed(), self._draws, share)
        if found is None:
            self._root = None
        self._take(found, "dive")
        self._dived = self._elapsed()
        self._dive_s = self._dived - began

    def _choice_s(self) -> float:
        return min(CHOICE_S, CHOICE_SHARE * self._seconds, max(0.0, self._left()))

    def _choose(
        self, cover: Cover, known: list[Pattern], now: Sequence[Pattern], seconds: float, how: str
    ) -> bool:
        keys = {pattern.key for pattern in known}
        known = known + [pattern for pattern in now if pattern.key not in keys]
        self._seed += 1
        found, _ = choose(cover, known, now, min(seconds, self._left()), self._seed)
        return self._take(found, how)

    def _improve(self) -> None:
        """Parts made anew by turns, until the time is up or the bound reached."""
        patience = last = self._patience()
        sizes = Sizes(self._maker.people, len(np.unique(self._maker.days)))
        while not self._done():
            # As long as a dive takes, parts are tried in between.
            if self._elapsed() - self._dived > self._dive_s:
                self._dive()
            self._swap(patience)
            if self._done():
                return
            began, before = self._elapsed(), self._cost
            some, window = sizes.draw(self._draws)
            self._part(sizes, some, window)
            # Where parts bring nothing, more time is for swaps, but not all of it.
            took = self._elapsed() - began
            patience = self._patience()
            if self._cost == before:
                many = SWAPS_A_PART if self._root is not None else SWAPS_A_SLOW_PART
                patience = max(patience, min(LENGTHEN * last, many * took))
            last = patience

    def _patience(self) -> float:
        return min(SWAPPING_S, SWAPPING * self._seconds)

    def _swap(self, patience: float) -> None:
        """A few people's patterns anew, each the best beside the others, with noise in the charges.

        Rosters that cost the same are taken, too: from there others can be reached. It ends when
        so many seconds brought nothing better.
        """
        heads, people = self._cover.heads(self._best), self._maker.people
        until = self._elapsed() + patience
        while self._elapsed() < until and not self._done():
            some = self._draws.sample(range(people), min(people, 2 + self._draws.randrange(3)))
            noise = np.random.default_rng(self._draws.randrange(1 << 30))
            scale = NOISES[self._draws.randrange(len(NOISES))]
            trial = list(self._best)
            tried = heads.copy()
            for person in some:
                tried[trial[person].rows] -= 1
            for turn in range(2):
                for person in some:
                    if turn:
                        tried[trial[person].rows] -= 1
                    charges = self._cover.one_more(tried)
                    if not turn:
                        charges += scale * noise.random(len(charges))
                    if found := self._maker.best(person, charges).patterns:
                        trial[person] = found[0]
                    tried[trial[person].rows] += 1
            cost = total(self._cover, trial)
            if cost <= self._cost:
                better, heads = cost < self._cost, tried
                self._best, self._cost = trial, cost
                if better:
                    until = self._elapsed() + patience
                    self._tell(f"{len(some)} people, one by one")

    def _part(self, sizes: Sizes, some: list[int], window: range) -> None:
        """Some people's patterns anew in a window of days."""
        began = self._elapsed()
        inside = set(some)
        cover = self._cover.beside(one for one in self._best if one.person not in inside)
        now = [self._best[person] for person in some]
        free = (self._maker.days >= window.start) & (self._maker.days < window.stop)
        part = Generator(self._maker, cover, now, free)
        here = total(cover, now)
        # What is far from the bound is not improved one by one.
        gap = self._cost - self._bound if self._bound is not None else 0
        least = here - max(0, gap // WORTHWHILE)
        until = min(self._seconds, began + max(PART_S, self._dive_s))
        relaxed = part.relax(lambda: until - self._elapsed(), ceiling=least)
        if relaxed is None:
            return
        how = f"{len(some)} people, {len(window)} days"
        gains = relaxed.whole_bound < least
        if gains:
            until = min(self._seconds, self._elapsed() + max(PART_S, self._dive_s))
            dived = part.dive(relaxed, lambda: until - self._elapsed(), self._draws)
            better = self._take(dived, how + ", dive")
            if not better and not self._done():
                known = sorted(part.master.patterns, key=relaxed.solution.reduced)[:POOL]
                self._choose(cover, known, now, self._choice_s(), how)
        sizes.took(self._elapsed() - began, gains, self._dive_s)


def _priced(pattern: Pattern, charges: Floats) -> float:
    """What a pattern costs with its charges."""
    return pattern.cost + float(charges[pattern.rows].sum())
