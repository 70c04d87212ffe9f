"""Records of a CSV text that may be broken: one bad record never takes its neighbours with it.

A quote that is never closed would swallow the rest of the file as one value. Here the line it
stands in is given up alone, and reading goes on with the next line.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

# A value may hold line breaks (a note, an address). More lines than this in one record are taken
# for a quote that was never closed; 200 is far beyond any note and bounds what is read twice.
MAX_RECORD_LINES = 200
# Lines tried at once. Where each of them is a record by itself, which is the rule, `csv` reads them
# without a step of Python for each; a chunk with a long or broken record is read with care instead.
_CHUNK_LINES = 2_000


class Broken(NamedTuple):
    """A record that cannot be read; `line` is where it begins, counted from 1."""

    line: int
    code: str
    words: str
    raw: str


class Record(NamedTuple):
    """The values of one record; `line` is where it begins, counted from 1."""

    line: int
    values: list[str]


class Plain(NamedTuple):
    """Records of one line each, one after the other from `line` on."""

    line: int
    rows: list[list[str]]


class _EndlessRecordError(Exception):
    pass


class CsvText:
    """A CSV text, read from its lines with their ends; a blank line is a record without values."""

    def __init__(
        self, lines: Iterator[str], delimiter: str, quote: str, first_line: int = 1
    ) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._pending: list[str] = []
        self._delimiter = delimiter
        self._quote = quote
        self._line = first_line

    def __iter__(self) -> Iterator[str]:
        """The lines, for `csv`: those of the record under way are kept, to go back to."""
        return self

    def __next__(self) -> str:
        if len(self._pending) == MAX_RECORD_LINES:
            raise _EndlessRecordError
        line = self._again.popleft() if self._again else next(self._lines)
        self._pending.append(line)
        return line

    def _values(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return csv.reader(
            lines,
            delimiter=self._delimiter,
            quotechar=self._quote or None,
            quoting=csv.QUOTE_MINIMAL if self._quote else csv.QUOTE_NONE,
            strict=True,
        )

    def record(self) -> Record | Broken | None:
        """The next record; None at the end."""
        began = self._line
        try:
            values = next(self._values(self))
        except StopIteration:
            return None
        except (csv.Error, _EndlessRecordError) as wrong:
            first, *others = self._pending
            self._again.extendleft(reversed(others))
            self._pending.clear()
            self._line += 1
            return Broken(began, "broken_quotes", self._words(wrong), first.rstrip("\r\n"))
        self._line += len(self._pending)
        self._pending.clear()
        return Record(began, values)

    def batches(self, chunk: int = _CHUNK_LINES) -> Iterator[Plain | list[Record | Broken]]:
        """All further records, in order, many at a time."""
        while True:
            lines = [self._again.popleft() for _ in range(min(chunk, len(self._again)))]
            lines += islice(self._lines, chunk - len(lines))
            if not lines:
                return
            rows = self._plain(lines)
            if rows is not None:
                yield Plain(self._line, rows)
                self._line += len(lines)
                continue
            self._again.extendleft(reversed(lines))
            yield list(self._until(self._line + len(lines)))

    def _plain(self, lines: list[str]) -> list[list[str]] | None:
        try:
            rows = list(self._values(iter(lines)))
        except csv.Error:
            return None
        return rows if len(rows) == len(lines) else None

    def _until(self, line: int) -> Iterator[Record | Broken]:
        while self._line < line:
            record = self.record()
            if record is None:
                return
            yield record

    def _words(self, wrong: Exception) -> str:
        text, quote = str(wrong), self._quote
        if "field larger" in text:
            return "a value is longer than 131,072 characters, most likely for a quote left open"
        if "expected after" in text:
            return f"a value goes on after its closing {quote}; inside a value it is written twice"
        return f"a {quote} is opened and not closed again"
