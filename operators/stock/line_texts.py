"""Lines of the window in the texts they came in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from operators.stock.facts import Record
from operators.stock.groups import Integers

Ends = npt.NDArray[np.intp]


class LineTexts:
    """Lines as they came, in the texts they came in: `record` cuts one out when it is asked for."""

    __slots__ = ("_begins", "_ends", "_pieces", "_texts")

    def __init__(self, texts: list[bytes], pieces: list[int], ends: Sequence[Ends]) -> None:
        """`pieces`: with which line each text begins; `ends`: where all but its last one end."""
        self._texts = texts
        self._pieces = pieces
        begins = [np.append(0, found + 1) for found in ends]
        lengths = map(len, self._texts)
        last = [np.append(found, length) for found, length in zip(ends, lengths, strict=True)]
        self._begins = np.concatenate(begins).astype(np.int32)
        self._ends = np.concatenate(last).astype(np.int32)

    def record(self, row: int) -> Record:
        """The line of a number."""
        text = self._texts[bisect_right(self._pieces, row) - 1]
        return text[self._begins.item(row) : self._ends.item(row)]

    def records(self, rows: Integers) -> list[Record]:
        """The lines of numbers."""
        texts = self._texts
        pieces = np.searchsorted(self._pieces, rows, side="right") - 1
        return [
            texts[piece][begin:end]
            for piece, begin, end in zip(
                pieces.tolist(), self._begins[rows].tolist(), self._ends[rows].tolist(), strict=True
            )
        ]
