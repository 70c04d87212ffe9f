"""Lines that are one movement each, on their way to the ledger: columns, sorted by SKU and place.

A fact is an object after another: making one, and keeping it apart from all others, costs more than
adding it up. So lines stay what the decoder made of them, and a fact is made only of those that
have to be looked at by themselves.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import attrgetter
from zlib import crc32

import numpy as np

from operators.stock.facts import Batch, Fact, Line, Record, Where
from operators.stock.groups import (
    Columns,
    Group,
    Integers,
    SkuGroups,
    columns_of,
    group,
    group_skus,
    is_more,
    is_other,
    starts_of,
)
from schemas.movement import Movement

_identity = attrgetter("source", "id")
# Bits for the number of a place, beside that of its SKU; it takes a list of so many to use them up.
_PLACE_BITS = 22
# Likewise for the number of a SKU, beside its shard.
SHARD_BITS = 22


class Numbers(dict[str, int]):
    """Numbers of names, given when first asked for; `names` are the names in this order."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __missing__(self, name: str) -> int:
        number = self[name] = len(self)
        self.names.append(name)
        return number

    def forget(self) -> None:
        """Begin anew."""
        self.clear()
        self.names.clear()


class SkuNumbers(Numbers):
    """A number for each SKU that begins with its shard (SHARD_BITS from the right)."""

    def __init__(self, shards: int) -> None:
        super().__init__()
        self._shards = shards

    def __missing__(self, name: str) -> int:
        shard = crc32(name.encode()) % self._shards
        number = self[name] = shard << SHARD_BITS | len(self)
        self.names.append(name)
        return number

    def named(self, number: int) -> str:
        """The SKU of a number."""
        return self.names[number & (1 << SHARD_BITS) - 1]


class Lines:
    """Consecutive lines of one origin that are one movement each; line 0 is number `first`.

    They are added a piece at a time: while a piece is small enough to lie in the processor's cache,
    each look at it costs half as much.
    """

    def __init__(self, origin: str, first: int) -> None:
        self.origin = origin
        self.first = first
        self.lines: list[Line] = []
        self.records: list[Record] = []
        self._pieces: list[tuple[Integers, Integers, Integers, Integers, Integers]] = []

    def __len__(self) -> int:
        return len(self.lines)

    def add(
        self,
        lines: Sequence[Line],
        records: Sequence[Record],
        times: Integers,
        skus: SkuNumbers,
        places: Numbers,
    ) -> None:
        """Add lines, the bytes they were decoded from, and their instants."""
        many = len(lines)
        movements = [line.data for line in lines]
        of_sku = map(skus.__getitem__, [movement.sku for movement in movements])
        of_place = map(places.__getitem__, [movement.place for movement in movements])
        pairs = np.fromiter(of_sku, np.int64, many) << _PLACE_BITS
        pairs |= np.fromiter(of_place, np.int64, many)
        keys = np.fromiter(map(hash, map(_identity, lines)), np.int64, many)
        self._pieces.append((pairs, keys, *columns_of(movements, times)))
        self.lines += lines
        self.records += records

    def columns(self) -> tuple[Integers, Integers, Columns]:
        """Numbers of SKU and place, hashes of identities, and the columns of the movements."""
        pairs, keys, *columns = map(np.concatenate, zip(*self._pieces, strict=True))
        return pairs, keys, Columns(*columns)


class SortedLines:
    """Consecutive lines of one origin in two orders: as they stood, and by SKU and place.

    Numbers of lines count from 0 in the order in which they stood; the line number `first` is that
    of line 0. What is public is sorted, and operators.stock.groups.Group counts in it: `rows` are
    numbers of lines, `more` and `other` say what operators.stock.groups says.
    """

    __slots__ = (
        "_lines",
        "_times",
        "_unsorted",
        "first",
        "keys",
        "more",
        "origin",
        "other",
        "records",
        "rows",
        "times",
    )

    def __init__(
        self, lines: Lines, times: Integers, order: Integers, keys: Integers, columns: Columns
    ) -> None:
        self.origin = lines.origin
        self.first = lines.first
        self._lines = lines.lines
        self._times = times
        self._unsorted = unsorted = lines.records
        self.rows: list[int] = order.tolist()
        self.times: list[int] = columns.times.tolist()
        self.more: list[bool] = is_more(columns).tolist()
        self.other: list[bool] = is_other(columns).tolist()
        self.keys: list[int] = keys.tolist()
        self.records = [unsorted[row] for row in self.rows]

    def fact(self, row: int) -> Fact:
        """The fact of a line."""
        return self._lines[row].fact(int(self._times[row]))

    def movement(self, row: int) -> Movement:
        """The movement of a line."""
        return self._lines[row].data

    def record(self, row: int) -> Record:
        """A line as it came."""
        return self._unsorted[row]


class LineBatch(Batch):
    """Lines of one shard as the ledger takes them: as operators.stock.facts.Batch, or in groups."""

    __slots__ = ("_first", "_last", "groups", "of", "skus")

    def __init__(
        self, shard: int, of: SortedLines, groups: list[Group], skus: list[SkuGroups]
    ) -> None:
        super().__init__(shard, of.origin, array("Q"), [])
        self.of = of
        self.groups = groups
        self.skus = skus
        _, _, _, self._first, *_ = skus[0]
        _, _, _, _, self._last, *_ = skus[-1]

    def __len__(self) -> int:
        return self._last - self._first

    @property
    def positions(self) -> array[int]:
        """The numbers of the lines."""
        return array("Q", [self.of.first + row for row in self.rows()])

    @property
    def facts(self) -> list[Fact]:
        """All facts in the order they arrived, made anew at each call."""
        return list(map(self.of.fact, self.rows()))

    def sku_names(self) -> set[str]:
        """The SKUs that the lines are of."""
        return {sku for sku, *_ in self.skus}

    def rows(self) -> Iterable[int]:
        """What `fact`, `record` and `where` count in, in the order they arrived."""
        return sorted(self.of.rows[self._first : self._last])

    def fact(self, row: int) -> Fact:
        """One fact."""
        return self.of.fact(row)

    def record(self, row: int) -> Record:
        """One fact as it is kept."""
        return self.of.record(row)

    def where(self, row: int) -> Where:
        """Where a fact stood."""
        return Where(self.of.origin, self.of.first + row)


def sort_lines(lines: Lines, skus: SkuNumbers, places: Numbers) -> list[LineBatch]:
    """Lines by shard; none are no batch."""
    if not lines:
        return []
    pairs, keys, unsorted = lines.columns()
    order = np.argsort(pairs, kind="stable")
    pairs = pairs[order]
    columns = Columns(*(column[order] for column in unsorted))
    starts = starts_of(pairs)
    at_place = (pairs[starts] & (1 << _PLACE_BITS) - 1).tolist()
    groups = group(starts, [places.names[number] for number in at_place], columns)
    of_sku = pairs[starts] >> _PLACE_BITS
    begins = starts_of(of_sku)
    names = list(map(skus.named, of_sku[begins].tolist()))
    by_sku = group_skus(begins, starts, names, columns)
    shards = of_sku[begins] >> SHARD_BITS
    bounds = [*starts_of(shards).tolist(), len(by_sku)]
    found = SortedLines(lines, unsorted.times, order, keys[order], columns)
    return [
        LineBatch(int(shards[begin]), found, groups, by_sku[begin:end])
        for begin, end in pairwise(bounds)
    ]
