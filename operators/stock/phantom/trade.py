"""The trade of a place as a clock: it ticks with every line that any product sells there.

Measured by it, closed days, nights, rain, holidays and tills that are offline pass in no time: what
is compared with a product's silence is what else was sold meanwhile.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

import msgspec

from schemas.instants import DAY_US, HOUR_US

# So far back lines are known by their own time; before that by the hour.
EXACT_HOURS = 48
# So far back a silence is measured; a longer one counts from there.
KEPT_HOURS = 120 * 24
WEEK_US = 7 * DAY_US


class TradeClock(msgspec.Struct, array_like=True):
    """Lines sold at one place by when they were sold, whenever that became known.

    `recent`: times of lines from the instant `cut` on, in order. Before it, from the hour `first`
    on: `lines` in each hour, and how many `before` it. `total`: all lines before `cut`.
    """

    cut: int = 0
    recent: list[int] = []
    first: int = 0
    lines: list[int] = []
    before: list[int] = []
    total: int = 0
    tip: int = 0

    def add(self, time: int) -> None:
        """One line sold at an instant (us)."""
        if not self.tip:
            self.first = time // HOUR_US
            self.cut = self.first * HOUR_US
        if time >= self.tip:
            self.tip = time
            self.recent.append(time)
            if time - self.cut >= (EXACT_HOURS + 1) * HOUR_US:
                self._fold((time // HOUR_US - EXACT_HOURS) * HOUR_US)
        elif time >= self.cut:
            insort(self.recent, time)
        else:
            self._count(time // HOUR_US, 1)

    def at(self, time: int) -> float:
        """Lines sold up to an instant and at it; in hours long past they are spread evenly."""
        if time >= self.cut:
            return float(self.total + bisect_right(self.recent, time))
        index = time // HOUR_US - self.first
        if index < 0:
            return float(self.before[0]) if self.before else 0.0
        share = (time % HOUR_US) / HOUR_US
        return self.before[index] + self.lines[index] * share

    def a_day(self) -> float:
        """Lines sold a day, over the last week or as long as there is any trade."""
        since = max(self.tip - WEEK_US, self.first * HOUR_US - 1)
        days = max(self.tip - since, DAY_US) / DAY_US
        return (self.at(self.tip) - self.at(since)) / days

    def _fold(self, cut: int) -> None:
        """Count the lines before `cut`, the beginning of an hour, by the hour from now on."""
        oldest = max(self.first, cut // HOUR_US - KEPT_HOURS)
        if oldest - self.first >= DAY_US // HOUR_US:
            self._forget(oldest)
        while (self.first + len(self.lines)) * HOUR_US < cut:
            self.lines.append(0)
            self.before.append(self.total)
        gone = bisect_left(self.recent, cut)
        for time in self.recent[:gone]:
            self._count(time // HOUR_US, 1)
        del self.recent[:gone]
        self.cut = cut

    def _count(self, hour: int, lines: int) -> None:
        index = max(0, hour - self.first)
        if self.lines:
            self.lines[index] += lines
        for later in range(index + 1, len(self.before)):
            self.before[later] += lines
        self.total += lines

    def _forget(self, first: int) -> None:
        """Let go of the hours before `first`; what was sold in them stays in the sum."""
        hours = first - self.first
        del self.lines[:hours], self.before[:hours]
        self.first = first
