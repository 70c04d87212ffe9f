"""The trade of a place as a clock: it ticks with every line that any product sells there.

Measured by it, closed days, nights, rain, holidays and tills that are offline pass in no time: what
is compared with a product's silence is what else was sold meanwhile.
"""

from __future__ import annotations

import msgspec

from schemas.instants import HOUR_US

# So far back a silence is measured; a longer one counts from there.
KEPT_HOURS = 120 * 24


class TradeClock(msgspec.Struct, array_like=True):
    """Lines sold at one place by the hour they were sold in, whenever they became known.

    `before` are the lines before each hour since the first one kept, `lines` those in it.
    """

    first: int = 0
    lines: list[int] = []
    before: list[int] = []
    tip: int = 0

    def add(self, time: int) -> None:
        """One line sold at an instant (us)."""
        hour = time // HOUR_US
        if not self.lines:
            self.first, self.lines, self.before = hour, [0], [0]
        index = max(0, hour - self.first)
        if index >= KEPT_HOURS * 2:
            self._forget(index - KEPT_HOURS)
            index = hour - self.first
        while index >= len(self.lines):
            self.before.append(self.before[-1] + self.lines[-1])
            self.lines.append(0)
        self.lines[index] += 1
        for later in range(index + 1, len(self.before)):
            self.before[later] += 1
        self.tip = max(self.tip, time)

    def at(self, time: int) -> float:
        """Lines sold up to an instant; within an hour they are spread evenly."""
        if not self.lines:
            return 0.0
        index = time // HOUR_US - self.first
        if index < 0:
            return float(self.before[0])
        last = len(self.lines) - 1
        if index > last or time >= self.tip:
            return float(self.before[last] + self.lines[last])
        start = (self.first + index) * HOUR_US
        length = self.tip - start if index == last else HOUR_US
        return self.before[index] + self.lines[index] * min(1.0, (time - start) / length)

    def _forget(self, hours: int) -> None:
        """Let go of so many hours from the first on; what was sold in them stays in the sum."""
        kept = len(self.lines) - hours
        if kept > 0:
            del self.lines[:hours], self.before[:hours]
        else:
            total = self.before[-1] + self.lines[-1]
            self.lines, self.before = [0], [total]
        self.first += hours
