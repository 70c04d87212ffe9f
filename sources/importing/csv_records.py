"""Records of a CSV text that may be broken: one bad record never takes its neighbours with it.

A quote that is never closed would swallow the rest of the file as one value. Here the line it
stands in is given up alone, and reading goes on with the next line.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

# A value may hold line breaks (a note, an address). More lines than this in one record are taken
# for a quote that was never closed; 200 is far beyond any note and bounds what is read twice.
MAX_RECORD_LINES = 200


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


class _EndlessRecordError(Exception):
    pass


class _Lines:
    """Hands lines to `csv` and keeps those of the record under way, to go back to."""

    def __init__(self, lines: Iterator[str], first_line: int) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.pending: list[str] = []
        self.line = first_line

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.pending) == MAX_RECORD_LINES:
            raise _EndlessRecordError
        line = self._again.popleft() if self._again else next(self._lines)
        self.pending.append(line)
        return line

    def done(self) -> int:
        """The record under way is read; says the line it began in."""
        began = self.line
        self.line += len(self.pending)
        self.pending.clear()
        return began

    def give_up_first(self) -> str:
        """Give up the first line of the record under way; the others will be read again."""
        first = self.pending[0]
        self._again.extendleft(reversed(self.pending[1:]))
        self.pending.clear()
        self.line += 1
        return first


def records(
    lines: Iterator[str], delimiter: str, quote: str, first_line: int = 1
) -> Iterator[Record | Broken]:
    """The records of a CSV text, in order; a blank line is a record without values."""
    source = _Lines(lines, first_line)
    while True:
        reader = csv.reader(
            source,
            delimiter=delimiter,
            quotechar=quote or None,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            strict=True,
        )
        try:
            for values in reader:
                yield Record(source.done(), values)
        except (csv.Error, _EndlessRecordError) as wrong:
            line = source.line
            raw = source.give_up_first().rstrip("\r\n")
            yield Broken(line, "broken_quotes", _words(wrong, quote), raw)
            continue
        return


def _words(wrong: Exception, quote: str) -> str:
    text = str(wrong)
    if "field larger" in text:
        return "a value is longer than 131,072 characters, most likely for a quote left open"
    if "expected after" in text:
        return (
            f"a value goes on after its closing {quote}; a {quote} inside a value is written twice"
        )
    return f"a {quote} is opened and not closed again"
