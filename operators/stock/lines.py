"""Lines that are one movement each, on their way to the ledger: columns, sorted by SKU and place.

A fact is an object after another: making one, and keeping it apart from all others, costs more than
adding it up. So lines stay what the decoder made of them, and a fact is made only of those that
have to be looked at by themselves.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from operators.stock.facts import Batch, Fact, Line, Record, Where
from operators.stock.groups import (
    Columns,
    Groups,
    Integers,
    SkuGroups,
    claims_at,
    columns_of,
    group,
    group_skus,
    starts_of,
)
from operators.stock.line_texts import LineTexts
from operators.stock.numbering import SHARD_BITS, Numbers, SkuNumbers, SourceKeys

# Bits for the number of a place, beside that of its SKU; it takes a list of so many to use them up.
_PLACE_BITS = 22
_INTEGER_BITS = 63


class Lines:
    """Consecutive lines of one origin that are one movement each; line 0 is number `first`.

    They are added a piece at a time: while a piece is small enough to lie in the processor's cache,
    each look at it costs half as much.
    """

    def __init__(self, origin: str, first: int) -> None:
        self.origin = origin
        self.first = first
        self._sources = SourceKeys()
        self.lines: list[Line] = []
        self.texts: list[bytes] = []
        self.ends: list[npt.NDArray[np.intp]] = []
        self._pieces: list[tuple[Integers, Integers, Integers, Integers, Integers]] = []

    def __len__(self) -> int:
        return len(self.lines)

    def add(
        self,
        text: bytes,
        ends: npt.NDArray[np.intp],
        lines: Sequence[Line],
        times: Integers,
        skus: SkuNumbers,
        places: Numbers,
    ) -> None:
        """Add lines, the text they were decoded from, where they end in it, and their instants."""
        many = len(lines)
        movements = [line.data for line in lines]
        of_sku = map(skus.__getitem__, [movement.sku for movement in movements])
        of_place = map(places.__getitem__, [movement.place for movement in movements])
        pairs = np.fromiter(of_sku, np.int64, many) << _PLACE_BITS
        pairs |= np.fromiter(of_place, np.int64, many)
        keys = np.fromiter(map(hash, [line.id for line in lines]), np.int64, many)
        of_source = map(self._sources.__getitem__, [line.source for line in lines])
        keys ^= np.fromiter(of_source, np.int64, many)
        self._pieces.append((pairs, keys, *columns_of(movements, times)))
        self.lines += lines
        self.texts.append(text)
        self.ends.append(ends)

    def columns(self) -> tuple[Integers, Integers, Columns]:
        """Numbers of SKU and place, hashes of identities, and the columns of the movements."""
        pairs, keys, *columns = map(np.concatenate, zip(*self._pieces, strict=True))
        return pairs, keys, Columns(*columns)

    def pieces(self) -> list[int]:
        """With which line each text begins."""
        sizes = [len(pairs) for pairs, *_ in self._pieces]
        return [0, *np.cumsum(sizes[:-1]).tolist()]

    def unsorted(self, skus: SkuNumbers) -> list[Batch]:
        """The lines as facts, by shard."""
        times = [time for *_, of_piece in self._pieces for time in of_piece.tolist()]
        texts = [text for piece in self.texts for text in piece.split(b"\n")]
        rows: dict[int, list[int]] = {}
        for row, line in enumerate(self.lines):
            rows.setdefault(skus[line.data.sku] >> SHARD_BITS, []).append(row)
        return [
            Batch(
                shard,
                self.origin,
                array("Q", [self.first + row for row in mine]),
                [self.lines[row].fact(times[row]) for row in mine],
                records=[texts[row] for row in mine],
            )
            for shard, mine in sorted(rows.items())
        ]


class SortedLines:
    """Consecutive lines of one origin in two orders: as they stood, and by SKU and place.

    Numbers of lines count from 0 in the order in which they stood; the line number `first` is that
    of line 0. What is public is sorted, and operators.stock.groups.Groups count in it: `rows` are
    numbers of lines, `keys` hashes of identities, `claims` the movements that change what is open
    of an order, each with where it is and its instant.
    """

    __slots__ = (
        "_lines",
        "_times",
        "claims",
        "columns",
        "first",
        "keys",
        "origin",
        "rows",
        "texts",
    )

    def __init__(
        self, lines: Lines, times: Integers, order: Integers, keys: Integers, columns: Columns
    ) -> None:
        self.origin = lines.origin
        self.first = lines.first
        self._lines = lines.lines
        self.texts = LineTexts(lines.texts, lines.pieces(), lines.ends)
        self._times = times
        self.columns = columns
        self.rows = order
        at = claims_at(columns)
        movements = [self._lines[row].data for row in order[at].tolist()]
        self.claims = list(zip(at.tolist(), movements, columns.times[at].tolist(), strict=True))
        self.keys = keys

    def sorted_fact(self, at: int) -> Fact:
        """The fact of a sorted line."""
        return self.fact(self.rows.item(at))

    def sorted_record(self, at: int) -> Record:
        """A sorted line as it came."""
        return self.texts.record(self.rows.item(at))

    def sorted_records(
        self, parts: Sequence[tuple[int, int]], but: Collection[int]
    ) -> list[Record]:
        """Sorted lines as they came: those from some to before others, save for some of them."""
        which = [np.arange(begin, end) for begin, end in parts]
        at = np.concatenate(which) if which else np.empty(0, np.int64)
        if but:
            at = at[np.isin(at, list(but), assume_unique=True, invert=True)]
        return self.texts.records(self.rows[at])

    def fact(self, row: int) -> Fact:
        """The fact of a line."""
        return self._lines[row].fact(self._times.item(row))

    def record(self, row: int) -> Record:
        """A line as it came."""
        return self.texts.record(row)


class LineBatch(Batch):
    """Lines of one shard as the ledger takes them: as operators.stock.facts.Batch, or in groups.

    `groups` are those of all shards, `places` their places.
    """

    __slots__ = ("begin", "end", "groups", "of", "places", "skus")

    def __init__(
        self,
        shard: int,
        of: SortedLines,
        groups: Groups,
        places: list[str],
        skus: list[SkuGroups],
    ) -> None:
        super().__init__(shard, of.origin, array("Q"), [])
        self.of = of
        self.groups = groups
        self.places = places
        self.skus = skus
        _, _, _, self.begin, *_ = skus[0]
        _, _, _, _, self.end, *_ = skus[-1]

    def __len__(self) -> int:
        return self.end - self.begin

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
        return self.rows_between(self.begin, self.end)

    def rows_between(self, begin: int, end: int) -> list[int]:
        """Likewise, of the sorted lines from `begin` to `end`."""
        rows: list[int] = np.sort(self.of.rows[begin:end]).tolist()
        return rows

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
    pairs, order = _sorted(pairs, len(places))
    columns = Columns(*(column[order] for column in unsorted))
    starts = starts_of(pairs)
    at_place = (pairs[starts] & (1 << _PLACE_BITS) - 1).tolist()
    groups = group(starts, columns)
    of_groups = [places.names[number] for number in at_place]
    of_sku = pairs[starts] >> _PLACE_BITS
    begins = starts_of(of_sku)
    names = list(map(skus.named, of_sku[begins].tolist()))
    by_sku = group_skus(begins, starts, names, columns)
    shards = of_sku[begins] >> SHARD_BITS
    bounds = [*starts_of(shards).tolist(), len(by_sku)]
    found = SortedLines(lines, unsorted.times, order, keys[order], columns)
    return [
        LineBatch(int(shards[begin]), found, groups, of_groups, by_sku[begin:end])
        for begin, end in pairwise(bounds)
    ]


def _sorted(pairs: Integers, places: int) -> tuple[Integers, Integers]:
    """Numbers of SKU and place, sorted, and the order that sorts them; equal ones stay in order.

    Sorting numbers that hold their row takes a tenth of sorting rows, and nearly all do fit.
    """
    many = len(pairs)
    row_bits, place_bits = many.bit_length(), places.bit_length()
    of_place = pairs & (1 << _PLACE_BITS) - 1
    narrow = pairs >> _PLACE_BITS << place_bits | of_place
    if int(narrow.max()).bit_length() + row_bits > _INTEGER_BITS:
        order = np.argsort(pairs, kind="stable")
        return pairs[order], order
    narrow = narrow << row_bits | np.arange(many)
    narrow.sort()
    order = narrow & (1 << row_bits) - 1
    return pairs[order], order
