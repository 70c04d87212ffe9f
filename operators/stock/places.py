"""All places of the SKUs of a shard: figures in columns, and objects of those that are looked at.

Sums over thousands of places are some passes over arrays; an object for each would cost more to
reach than to change. A place that needs more than sums is *taken out* (`Places.out`): its object
then holds its figures, until it is *put back* for the next sums. What is no number, a base, open
orders and alerts, is always with its object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from operators.stock.figures import ALWAYS_JUDGE
from operators.stock.kept_lines import Entry, KeptLines
from operators.stock.place import NEVER, NUMBERS, PlaceState, numbers_of
from operators.stock.rules import StockRules

Integers = npt.NDArray[np.int64]

_SMALLEST = 64
# The square of so many units fits in 64 bits, in thousandths too.
_MOST_SQUARED = 90_000_000
COLUMN = {name: number for number, name in enumerate(NUMBERS)}
# Where nothing has happened yet.
_NOTHING = np.array(
    [
        {"quiet": ALWAYS_JUDGE, "oldest": NEVER, "tip": NEVER, "corrected_at": NEVER}.get(name, 0)
        for name in NUMBERS
    ],
    np.int64,
)


class Places:
    """Places by number, in the order in which they were first seen.

    `cells` has a row a place and a column a number (`NUMBERS`), true of those that are not
    `is_out`; `logs` likewise; `floors` are those of their rules. `touched` are those whose rows
    have changed since rows were last taken.
    """

    __slots__ = (
        "_kept",
        "_rules",
        "cells",
        "floors",
        "is_out",
        "logs",
        "names",
        "skus",
        "states",
        "touched",
    )

    def __init__(self, rules: StockRules, kept: KeptLines) -> None:
        self._rules = rules
        self._kept = kept
        self.skus: list[str] = []
        self.names: list[str] = []
        self.states: list[PlaceState | None] = []
        self.logs: list[list[Entry]] = []
        self.cells = np.empty((_SMALLEST, len(NUMBERS)), np.int64)
        self.floors = np.zeros(_SMALLEST, np.int64)
        self.is_out = np.zeros(_SMALLEST, np.bool_)
        self.touched = np.zeros(_SMALLEST, np.bool_)

    def __len__(self) -> int:
        return len(self.skus)

    def _grow(self, size: int) -> None:
        room = len(self.cells)
        if size <= room:
            return
        while room < size:
            room += room >> 1
        for name in ("cells", "floors", "is_out", "touched"):
            old = getattr(self, name)
            new = np.zeros((room, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def add(self, skus: Sequence[str], names: Sequence[str], logs: list[list[Entry]]) -> range:
        """Add places that nothing has happened at yet; their numbers."""
        first = len(self.skus)
        self.skus += skus
        self.names += names
        self.logs += logs
        last = len(self.skus)
        self.states += [None] * (last - first)
        self._grow(last)
        self.cells[first:last] = _NOTHING
        return range(first, last)

    def new(self, sku: str, place: str) -> PlaceState:
        """Add a place and take it out; its cells are not true before it is put back."""
        number = len(self.skus)
        self.skus.append(sku)
        self.names.append(place)
        self._grow(number + 1)
        state = self._make(number)
        self.states.append(state)
        self.logs.append(state.log)
        self.is_out[number] = state.is_out = True
        self.floors[number] = state.rule.floor
        return state

    def take(self, states: Sequence[PlaceState]) -> range:
        """Add places with their objects, as restored, and put them back; their numbers."""
        skus, names = [state.sku for state in states], [state.place for state in states]
        numbers = self.add(skus, names, [state.log for state in states])
        if states:
            self.cells[numbers.start : numbers.stop] = list(map(numbers_of, states))
            floors = [state.rule.floor for state in states]
            self.floors[numbers.start : numbers.stop] = floors
        for number, state in zip(numbers, states, strict=True):
            state.number = number
            if state.has_more():
                self.states[number] = state
        return numbers

    def known(self, number: int) -> PlaceState:
        """The object of a place, with what is no number; figures only where it is out."""
        state = self.states[number]
        if state is None:
            state = self.states[number] = self._make(number)
        return state

    def _make(self, number: int) -> PlaceState:
        state = PlaceState(self.skus[number], self.names[number], self._rules, self._kept)
        state.number = number
        return state

    def out(self, number: int) -> PlaceState:
        """Take a place out."""
        state = self.known(number)
        if not state.is_out:
            self.is_out[number] = state.is_out = True
            self._load(state)
        return state

    def look(self, number: int) -> PlaceState:
        """The object of a place with its figures, which must not be changed."""
        state = self.states[number]
        if state is None:
            state = self._make(number)
        if not self.is_out[number]:
            self._load(state)
        return state

    def oldest(self, number: int) -> int:
        """The instant of the oldest fact in the log of a place."""
        state = self.states[number]
        if state is not None and self.is_out[number]:
            return state.oldest
        return self.cells.item(number, COLUMN["oldest"])

    def _load(self, state: PlaceState) -> None:
        state.load_numbers(self.cells[state.number].tolist())
        state.log = self.logs[state.number]

    def relog(self, number: int, changed: Callable[[list[Entry]], list[Entry]]) -> None:
        """Change the log of a place."""
        state = self.states[number]
        if state is not None and self.is_out[number]:
            state.log = changed(state.log)
        else:
            self.logs[number] = changed(self.logs[number])

    def put_back(self, numbers: Integers) -> None:
        """Put places back, those of them that are out."""
        for number in numbers[self.is_out[numbers]].tolist():
            self._save(number).is_out = False
            self.is_out[number] = False

    def _save(self, number: int) -> PlaceState:
        state = self.states[number]
        assert state is not None
        self.cells[number] = numbers_of(state)
        self.logs[number] = state.log
        return state

    def roll(self, numbers: Integers, days: Integers, ends: Integers, window: int) -> None:
        """Close the business day of places that are not out, where the given one is the next.

        As operators.stock.figures.roll_days does it where no day is empty and levels are fixed.
        """
        cells = self.cells[numbers]
        today = cells[:, COLUMN["today"]]
        follows = (days == cells[:, COLUMN["day"]] + 1) & (today < _MOST_SQUARED)
        cells, numbers, today = cells[follows], numbers[follows], today[follows]
        weight = np.minimum(cells[:, COLUMN["days"]] + 1, window)
        mean, square = cells[:, COLUMN["mean"]], cells[:, COLUMN["square"]]
        mean += (today * 1000 - mean) // weight
        square += (today**2 * 1000 - square) // weight
        cells[:, COLUMN["days"]] += 1
        cells[:, COLUMN["today"]] = 0
        cells[:, COLUMN["day"]] = days[follows]
        cells[:, COLUMN["day_end"]] = ends[follows]
        self.cells[numbers] = cells

    def take_touched(self) -> Integers:
        """The numbers of the places whose rows have changed since the last call; cells are true."""
        numbers = np.flatnonzero(self.touched)
        self.touched[numbers] = False
        for number in numbers[self.is_out[numbers]].tolist():
            self._save(number)
        return numbers
