"""What patterns cover, and what numbers of heads cost there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Heads = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """All of one person's shifts: what they cost by themselves, and the rows where they are heads.

    `detail` is what whoever made it reads the shifts from; two with the same rows and cost are one.
    """

    person: int
    cost: int
    rows: NDArray[np.intp]
    detail: Any

    @property
    def key(self) -> tuple[int, int, bytes]:
        """Equal for patterns that nobody can tell apart."""
        return self.person, self.cost, self.rows.tobytes()


class Priced(NamedTuple):
    """The best patterns for some charges, best first, and what no pattern is below."""

    patterns: list[Pattern]
    least: float


class Maker(Protocol):
    """Makes the patterns of a kind of roster: knows every rule about single persons."""

    people: int
    # The day of each row.
    days: NDArray[np.intp]

    def best(self, person: int, charges: Floats, many: int = 1) -> Priced:
        """The person's cheapest patterns where every head costs what `charges` has for its row."""


class Cover:
    """Rows with the cost of each number of heads, which falls or rises by steps that never fall.

    `table` has a line for each row and a column for each number of heads, from none to everybody.
    """

    def __init__(self, table: NDArray[np.int64]) -> None:
        self.table = table
        self.steps = np.diff(table, axis=1)
        self._at = np.arange(len(table))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.table)

    def heads(self, patterns: Iterable[Pattern]) -> Heads:
        """Heads by row."""
        heads: Heads = np.zeros(self.rows, dtype=np.int64)
        for pattern in patterns:
            heads[pattern.rows] += 1
        return heads

    def cost(self, heads: Heads) -> int:
        """What numbers of heads cost, all rows together."""
        return int(self.table[self._at, heads].sum())

    def one_more(self, heads: Heads) -> Floats:
        """What one head more costs in each row."""
        most = self.steps.shape[1] - 1
        more: Floats = self.steps[self._at, np.minimum(heads, most)].astype(np.float64)
        return more

    def beside(self, patterns: Iterable[Pattern]) -> Cover:
        """The cover that is left beside patterns that stay."""
        heads = self.heads(patterns)
        columns = np.arange(self.table.shape[1]) + heads[:, None]
        most = self.table.shape[1] - 1
        rest = self.table[self._at[:, None], np.minimum(columns, most)]
        return Cover(np.ascontiguousarray(rest))


def total(cover: Cover, patterns: Sequence[Pattern]) -> int:
    """What a roster of patterns costs."""
    return cover.cost(cover.heads(patterns)) + sum(pattern.cost for pattern in patterns)
