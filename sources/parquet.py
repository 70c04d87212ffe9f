"""Blocks of lines from a Parquet file of events: a row is an event, its number that of its line.

Columns are the attributes of the envelope (`specversion`, `id`, `source`, `type`, `time`, ...) and
`data`, a struct or JSON as text. What is null is not there. A Parquet file is whole when it is
there: it cannot be followed, only be replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from operators.stock.decode import Block
from sources.files import FilePosition, SourceError

# About what an event takes as a line: how many rows make a block.
BYTES_A_ROW = 256
FOOTER_BYTES = 4096

_encode = msgspec.json.Encoder().encode


class ParquetBlocks:
    """The blocks of one file, from a position (rows, rows, fingerprint) on.

    Raises:
        SourceError: it is no Parquet file, or damaged.
    """

    def __init__(self, path: Path, position: FilePosition | None, block_bytes: int) -> None:
        self.name = str(path)
        self._fingerprint = _fingerprint(path)
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as wrong:
            raise self._damaged(str(wrong)) from wrong
        self._row = 0
        # A file with another footer is a new one under an old name.
        if position is not None and position[2] == self._fingerprint:
            self._row = position[0]
        self._batches = self._from_row(max(1, block_bytes // BYTES_A_ROW))

    def position(self) -> FilePosition:
        """Rows read (as offset and as lines), and the fingerprint to know the file by."""
        return (self._row, self._row, self._fingerprint)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def read(self) -> Block | None:
        """The next rows as lines, or None behind the last."""
        try:
            rows = next(self._batches, None)
        except (pa.ArrowException, OSError) as wrong:
            where = f"after row {self._row}: {wrong}"
            raise self._damaged(where) from wrong
        if rows is None:
            return None
        lines = b"\n".join([_line(row) for row in rows.to_pylist()])
        block = Block(self.name, self._row + 1, rows.num_rows, lines)
        self._row += rows.num_rows
        return block

    def _from_row(self, size: int) -> Iterator[pa.RecordBatch]:
        """Batches of rows from the one that is next; groups before it are not even read."""
        before, groups = 0, self._file.metadata.num_row_groups
        for group in range(groups):
            rows = self._file.metadata.row_group(group).num_rows
            if before + rows > self._row:
                skip = max(0, self._row - before)
                for batch in self._file.iter_batches(size, row_groups=[group]):
                    if skip < batch.num_rows:
                        yield batch.slice(skip)
                    skip = max(0, skip - batch.num_rows)
            before += rows

    def _damaged(self, why: str) -> SourceError:
        msg = f"{self.name} cannot be read as Parquet ({why}): write it anew, or leave it out"
        return SourceError(msg)


def _line(row: dict[str, Any]) -> bytes:
    event = _without_nulls(row)
    data = event.get("data")
    if isinstance(data, str):
        try:
            event["data"] = msgspec.json.decode(data)
        except (ValueError, RecursionError):
            # Stays a text, and is refused as one with its row.
            return _encode(event)
    elif isinstance(data, dict):
        event["data"] = _without_nulls(data)
    return _encode(event)


def _without_nulls(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _fingerprint(path: Path) -> int:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - FOOTER_BYTES))
        return crc32(file.read(), size & 0xFFFFFFFF)
