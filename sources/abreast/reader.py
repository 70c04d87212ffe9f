"""Blocks from several files at once, always from the one that is furthest behind in time.

Doors and tills are often in files of their own. Read one after the other, the second file would be
late by all that the first one covers.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from operators.stock.decode import Block
from schemas.envelope import Instant
from schemas.instants import to_micros
from sources.blocks import BlockReader
from sources.files import PARQUET, FilePosition, SourceError, find_files

# Small, so that the files stay close to each other: some hundred events.
ABREAST_BYTES = 64 * 1024
# Of a line that is looked at ahead; its time stands before its data.
PEEK_BYTES = 16 * 1024
NEVER = -(2**62)


class _Time(msgspec.Struct):
    time: Instant


_time = msgspec.json.Decoder(_Time)


class AbreastReader(BlockReader):
    """A reader of blocks that goes through all its files at once.

    Files that follow each other in time are still read one after the other: which one comes next
    is what its next line says. Where nothing can be told, a file is read on at once.
    """

    def __init__(
        self, source: str, positions: dict[str, FilePosition] | None = None, *, follow: bool = False
    ) -> None:
        super().__init__(source, positions, follow=follow)
        self._readers: dict[str, BlockReader] = {}
        # How far each file that is not at its end has got in time.
        self._reached: dict[str, int] = {}
        self._look()

    def _look(self) -> None:
        for path in find_files(self._source):
            name = str(path)
            known = self._positions.get(name)
            if name not in self._readers:
                given = None if known is None else {name: known}
                self._readers[name] = BlockReader(
                    name, given, follow=self._follow, block_bytes=ABREAST_BYTES
                )
            if name not in self._reached:
                self._reached[name] = _peek(path, known[0] if known else 0)

    def next_block(self) -> Block | None:
        """The next block of the file that is furthest behind."""
        while self._reached:
            name = min(self._reached, key=self._reached.__getitem__)
            block = self._readers[name].next_block()
            if block is not None:
                last = block.lines[block.lines.rfind(b"\n", 0, -1) + 1 :]
                self._reached[name] = max(self._reached[name], _time_of(last))
                return block
            del self._reached[name]
            self._readers[name].close()
        if self._follow:
            self._look_for_more()
        return None

    def _look_for_more(self) -> None:
        try:
            self._look()
        except (SourceError, OSError):
            # A log that is being rotated is away for a moment.
            return

    def positions(self) -> dict[str, FilePosition]:
        """Where reading has got to, for each file that was ever opened."""
        for reader in self._readers.values():
            self._positions.update(reader.positions())
        return dict(self._positions)

    def close(self) -> None:
        """Let go of all files."""
        for reader in self._readers.values():
            reader.close()


def _peek(path: Path, offset: int) -> int:
    """The time of the line at an offset, microseconds since 1970; NEVER where there is none."""
    if path.suffix == PARQUET:
        return NEVER
    with path.open("rb") as file:
        file.seek(offset)
        return _time_of(file.readline(PEEK_BYTES))


def _time_of(line: bytes) -> int:
    try:
        return to_micros(_time.decode(line).time)
    except (ValueError, RecursionError):
        return NEVER
