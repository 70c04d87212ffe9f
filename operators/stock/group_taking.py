"""Groups of lines on their way into the state of a shard, and what can be said of them alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from operators.stock.groups import Columns, Groups, Integers, group
from operators.stock.kept_lines import Entry, Kept, span
from operators.stock.lines import LineBatch
from operators.stock.rules import StockRules
from operators.stock.sku import SkuState

Flags = npt.NDArray[np.bool_]

# Numbers of groups that are no place's: not known yet; not to be taken.
NEW, LEFT_OUT = -1, -2


class Taking(NamedTuple):
    """Groups on their way into the state: `numbers` of their places, and whose they are."""

    batch: LineBatch
    groups: Groups
    names: list[str]
    numbers: Integers
    owners: list[SkuState]
    repeated: set[int]
    kept: Kept

    def rows(self, at: int) -> list[int]:
        """The lines of a group that are no repetitions."""
        begin, end = int(self.groups.begin[at]), int(self.groups.end[at])
        return [row for row in range(begin, end) if row not in self.repeated]

    def spans(self, at: int) -> list[Entry]:
        """What the log of its place is to name."""
        rows = self.rows(at)
        cuts = [0, *(n for n in range(1, len(rows)) if rows[n] != rows[n - 1] + 1), len(rows)]
        return [span(self.kept, rows[first], rows[last - 1] + 1) for first, last in pairwise(cuts)]


def days_of(rules: StockRules, places: Sequence[str], times: Integers) -> tuple[Integers, Integers]:
    """The business days of instants at places, and when they end; there is one at least."""
    clocks = {place: rules.day_clock(place) for place in set(places)}
    [*some] = set(clocks.values())
    day, end = some[0].day_of(times.min().item())
    if len(some) == 1 and times.max() < end:
        # As nearly always: one zone, and nobody's midnight among them.
        return np.full(len(times), day), np.full(len(times), end)
    found = [clocks[place].day_of(time) for place, time in zip(places, times.tolist(), strict=True)]
    days, ends = zip(*found, strict=True)
    return np.array(days, np.int64), np.array(ends, np.int64)


def without_repeated(taking: Taking) -> Taking:
    """The groups made anew of the lines that are no repetitions; those without any are left out."""
    groups, columns = taking.groups, taking.batch.of.columns
    repeated = np.array(sorted(taking.repeated), np.int64)
    at = np.unique(np.searchsorted(groups.end, repeated, side="right"))
    sizes = groups.end[at] - groups.begin[at]
    rows = np.repeat(groups.begin[at] - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
    fresh = np.isin(rows, repeated, assume_unique=True, invert=True)
    left = np.add.reduceat(fresh, np.cumsum(sizes) - sizes, dtype=np.int64)
    numbers = taking.numbers.copy()
    numbers[at[left == 0]] = LEFT_OUT
    at, rows, left = at[left > 0], rows[fresh], left[left > 0]
    if not len(at):
        return taking._replace(numbers=numbers)
    starts = np.cumsum(left) - left
    anew = group(starts, Columns(*(column[rows] for column in columns)))
    # Where they stand, and which claims are theirs, is as it was.
    kept = ("begin", "end", "claims", "claims_end")
    found = Groups._make(column.copy() for column in groups)
    for name in Groups._fields:
        if name not in kept:
            getattr(found, name)[at] = getattr(anew, name)
    return taking._replace(groups=found, numbers=numbers)
