"""Lines of the window that are kept in the texts they came in, and known by their identities.

A backfill takes lines by the thousand. Cutting each one out, keeping it apart and putting its
identity into a dict costs more than all its arithmetic, and hardly any is looked at again: so the
log of a place names spans of kept lines, and a shard knows all their identities by one table. What
is looked at after all, or is left over when most have gone, is cut out then (`Kept.loosen`).

What becomes of kept lines: those that no log is to name are *left out* (`leave`); those that have
passed the window are *let go* of, and known on; those that are *loosened* stand by themselves, in
the log as in operators.stock.identities. When few are left the rest is loosened, and their text
*forgotten*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from operators.stock.facts import Record, identity, same_content, unpack_fact
from operators.stock.key_table import Integers, KeyTable
from operators.stock.lines import LineBatch

# Lines that were taken together are given up when fewer than one in so many is still in use.
_WORTH_KEEPING = 4
# A reference is the number of the kept lines, and the number of one among them.
_ROW_BITS = 24


class Kept:
    """Lines of one shard that were taken together, in the order of their batch.

    `live`: how many are in logs; `holders`: numbers of the places whose logs name some.
    """

    __slots__ = (
        "_begin",
        "_keys",
        "_rows",
        "_texts",
        "_thin",
        "holders",
        "live",
        "number",
        "of_sku",
        "taken",
        "total",
    )

    def __init__(self, number: int, batch: LineBatch, thin: list[Kept]) -> None:
        begin, end = batch.begin, batch.end
        self.number = number
        self._begin = begin
        self._texts = batch.of.texts
        self._rows = batch.of.rows[begin:end].astype(np.int32)
        self._keys = batch.of.keys[begin:end].copy()
        sizes = [last - first for _, _, _, first, last, *_ in batch.skus]
        names = np.fromiter((hash(sku) for sku, *_ in batch.skus), np.int64, len(sizes))
        self.of_sku = self._keys ^ np.repeat(names, sizes)
        # Which are in logs, or were: of these the identities are known.
        self.taken = bytearray(b"\1") * (end - begin)
        self.total = self.live = end - begin
        self.holders: list[int] = []
        self._thin = thin

    def record(self, at: int) -> Record:
        """One line; `at` counts as the batch does."""
        return self._texts.record(self._rows.item(at - self._begin))

    def key(self, at: int) -> int:
        """The hash of its identity."""
        return self._keys.item(at - self._begin)

    def line(self, row: int) -> Record:
        """One line by its number among these."""
        return self._texts.record(self._rows.item(row))

    def leave(self, begin: int, end: int) -> None:
        """Leave out lines that no log is to name."""
        self.taken[begin - self._begin : end - self._begin] = bytes(end - begin)
        self.total -= end - begin
        self.live -= end - begin

    def let_go(self, many: int) -> None:
        """Count so many lines out of logs."""
        self.live -= many
        if self.is_thin():
            self._thin.append(self)

    def is_thin(self) -> bool:
        """Whether too few are in use."""
        return self.live * _WORTH_KEEPING < self.total

    def loosen(self, begin: int, end: int) -> list[tuple[int, Record]]:
        """Cut lines out, with the hashes of their identities; these do not know them any more."""
        self.taken[begin - self._begin : end - self._begin] = bytes(end - begin)
        self.let_go(end - begin)
        return [(self.key(at), self.record(at)) for at in range(begin, end)]


# Some kept lines as one number, for there are hundreds of thousands: which kept lines, where in
# their batch they begin, how many (see `span`).
Span = int
Entry = Record | Span
_MANY_BITS = 20
_AT_BITS = 20
MOST_LINES = 1 << _AT_BITS
_MANY, _AT = (1 << _MANY_BITS) - 1, MOST_LINES - 1
# What an array of integers holds.
_LARGEST = (1 << 63) - 1


def spans(kept: Kept, begins: Integers, ends: Integers) -> list[Span]:
    """Kept lines from some to before others, at most MOST_LINES of a batch, each as one number."""
    found = begins << _MANY_BITS | ends - begins
    which = kept.number << (_MANY_BITS + _AT_BITS)
    if which > _LARGEST:
        # After eight million batches, which a busy flow takes in some weeks.
        return [which | one for one in found.tolist()]
    several: list[Span] = (found | which).tolist()
    return several


def span(kept: Kept, begin: int, end: int) -> Span:
    """Kept lines from one to before another as one number."""
    return kept.number << (_MANY_BITS + _AT_BITS) | begin << _MANY_BITS | end - begin


class KeptLines:
    """The kept lines of a shard."""

    __slots__ = ("_kept", "_next", "_table", "_thin")

    def __init__(self) -> None:
        self._table = KeyTable()
        self._kept: dict[int, Kept] = {}
        self._next = 0
        self._thin: list[Kept] = []

    def take(self, batch: LineBatch) -> tuple[Kept, dict[int, Record]]:
        """Begin to keep the lines of a batch; those whose identity may be known, and by what."""
        self._next += 1
        kept = Kept(self._next, batch, self._thin)
        many = len(batch)
        if not self._table.room(many):
            self._make_room(many)
        refs = (kept.number << _ROW_BITS) + np.arange(many)
        found = self._table.put(kept.of_sku, refs)
        self._kept[kept.number] = kept
        known: dict[int, Record] = {}
        # Identities that the table has although their lines do not count as seen (any more).
        again: dict[int, int] = {}
        for row in np.flatnonzero(found != refs).tolist():
            record = self._record(int(found[row]), kept)
            if record is None:
                first = again.setdefault(kept.of_sku.item(row), row)
                if first == row:
                    self._table.replace(kept.of_sku.item(row), refs.item(row))
                    continue
                record = kept.line(first)
            known[batch.begin + row] = record
        return kept, known

    def _record(self, ref: int, now: Kept | None = None) -> Record | None:
        """The line of a reference, where it counts as seen; all lines of `now` do."""
        kept = self._kept.get(ref >> _ROW_BITS)
        row = ref & (1 << _ROW_BITS) - 1
        if kept is None or not (kept is now or kept.taken[row]):
            return None
        return kept.line(row)

    def _make_room(self, many: int) -> None:
        """Make the table anew: without the identities of forgotten lines, which nothing else drops.

        There is room for `many` more then.
        """
        columns: list[tuple[Integers, Integers]] = []
        for kept in self._kept.values():
            rows = np.flatnonzero(np.frombuffer(kept.taken, np.uint8))
            columns.append((kept.of_sku[rows], (kept.number << _ROW_BITS) + rows))
        self._table.begin_anew(sum(len(keys) for keys, _ in columns) + many)
        for keys, refs in columns:
            self._table.put(keys, refs)

    def find(self, key: int) -> Record | None:
        """A line by the hash of its identity, exclusive or that of its SKU."""
        if not self._kept:
            return None
        ref = self._table.find(key)
        return None if ref is None else self._record(ref)

    def settle(self, kept: Kept) -> None:
        """All lines of a batch were taken: forget them where none is kept.

        Some may have left their logs again while others were left out, which nothing else notices.
        """
        if not kept.total:
            self.forget(kept)
        elif kept.is_thin():
            self._thin.append(kept)

    def where(self, span: Span) -> tuple[Kept, int, int]:
        """The kept lines of a span that is in a log: from which to before which."""
        kept = self._kept[span >> (_MANY_BITS + _AT_BITS)]
        begin = span >> _MANY_BITS & _AT
        return kept, begin, begin + (span & _MANY)

    def records(self, log: Iterable[Entry]) -> Iterator[Record]:
        """All facts of a log."""
        for entry in log:
            if isinstance(entry, int):
                kept, begin, end = self.where(entry)
                yield from map(kept.record, range(begin, end))
            else:
                yield entry

    def let_go(self, log: Iterable[Entry]) -> None:
        """Count what a log holds out of it."""
        for entry in log:
            if isinstance(entry, int):
                kept, begin, end = self.where(entry)
                kept.let_go(end - begin)

    def thin(self) -> list[Kept]:
        """Lines of which too few are in use: whoever holds some has to cut them out.

        To be asked between batches.
        """
        if not self._thin:
            return []
        found = {kept.number: kept for kept in self._thin if kept.is_thin()}
        self._thin.clear()
        return [kept for number, kept in found.items() if number in self._kept]

    def forget(self, kept: Kept) -> None:
        """Forget lines that no log names any more."""
        del self._kept[kept.number]


def repeats(known: Record, record: Record) -> bool:
    """Whether a fact is one that is known already."""
    if known == record:
        return True
    there, fact = unpack_fact(known), unpack_fact(record)
    return identity(there) == identity(fact) and same_content(there, fact)
