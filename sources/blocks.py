"""Blocks of whole lines from files of events: one file, a folder of them, or a pattern.

Where reading has got to is plain values a file: byte offset, lines read, and a fingerprint of what
stood before the offset, so that a file that was replaced under the same name is read from its
start, while one that has grown is read on.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from operators.stock.decode import RAW_LIMIT, Block
from sources.files import PARQUET, FilePosition, SourceError, find_files
from sources.parquet import ParquetBlocks

# What is handed on at once: enough that what a shard and a place cost for each batch does not show.
BLOCK_BYTES = 8 * 1024 * 1024
# A block is no larger: what is made of a thousand events stays in the processor's cache while it is
# worked on.
LARGEST_BLOCK = 256 * 1024
# A line longer than this is no event; its beginning goes on, to become a dead letter.
LONGEST_LINE = 8 * 1024 * 1024
FINGERPRINT_BYTES = 1024


class BlockReader:
    """Reads files of events block by block and can take up where it left off.

    With `follow` the files may grow and new ones may come: None then means nothing is there yet.
    `block_bytes`: how much is read at once, where that should be another size than usual.
    """

    def __init__(
        self,
        source: str,
        positions: dict[str, FilePosition] | None = None,
        *,
        follow: bool = False,
        block_bytes: int | None = None,
    ) -> None:
        self._source = source
        self._follow = follow
        at_once = block_bytes or BLOCK_BYTES
        self._block_bytes = min(at_once, LARGEST_BLOCK)
        self._blocks_at_once = max(1, at_once // self._block_bytes)
        # Files of earlier runs stay known: they may come back.
        self._positions = dict(positions or {})
        self._waiting = find_files(source)
        self._current: _FileBlocks | ParquetBlocks | None = None

    def positions(self) -> dict[str, FilePosition]:
        """Where reading has got to, for each file that was ever opened."""
        if self._current is not None:
            self._positions[self._current.name] = self._current.position()
        return dict(self._positions)

    def next_block(self) -> Block | None:
        """The next block of whole lines; None when there is nothing (more) to read now."""
        while True:
            if self._current is None:
                if not self._waiting:
                    if self._follow:
                        self._look_again()
                    return None
                path = self._waiting.pop(0)
                if self._follow and not path.exists():
                    continue
                position = self._positions.get(str(path))
                if path.suffix == PARQUET:
                    self._current = ParquetBlocks(path, position, self._block_bytes)
                else:
                    self._current = _FileBlocks(path, position, self._follow, self._block_bytes)
            block = self._current.read()
            if block is not None:
                return block
            self.close()

    def next_blocks(self) -> list[Block]:
        """The next few blocks, to be worked on together; none when there is nothing to read now."""
        found: list[Block] = []
        while len(found) < self._blocks_at_once and (block := self.next_block()) is not None:
            found.append(block)
        return found

    def close(self) -> None:
        """Let go of the file that is being read; `positions` stays as it is."""
        if self._current is not None:
            self._positions[self._current.name] = self._current.position()
            self._current.close()
            self._current = None

    def _look_again(self) -> None:
        """Start over with the files that are there now, in the order of their names."""
        # A log that is being rotated is away for a moment.
        with suppress(SourceError):
            self._waiting = find_files(self._source)


class _FileBlocks:
    """The blocks of one file."""

    def __init__(
        self, path: Path, position: FilePosition | None, follow: bool, block_bytes: int
    ) -> None:
        self.name = str(path)
        self._follow = follow
        self._block_bytes = block_bytes
        self._file = path.open("rb")
        self._offset, self._lines = 0, 0
        self._inside_line = False
        if position is not None:
            offset, lines, fingerprint = position
            size = path.stat().st_size
            # A file that shrank or begins otherwise is a new one under an old name.
            if size >= offset and _fingerprint(self._file, offset) == fingerprint:
                self._offset, self._lines = offset, lines
                # An earlier run may have taken a last line that had no end then.
                self._file.seek(max(0, offset - 1))
                self._inside_line = offset > 0 and self._file.read(1) != b"\n"

    def position(self) -> FilePosition:
        """Offset, lines and fingerprint to resume from."""
        return (self._offset, self._lines, _fingerprint(self._file, self._offset))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def read(self) -> Block | None:
        """The next whole lines, or None at the end of what is there."""
        self._file.seek(self._offset)
        if self._inside_line:
            self._leave_line()
        data = self._file.read(self._block_bytes)
        cut = data.rfind(b"\n")
        if cut < 0 and len(data) == self._block_bytes:
            data += self._file.readline(LONGEST_LINE)
            cut = data.rfind(b"\n")
            if cut < 0 and len(data) > LONGEST_LINE:
                return self._skip_line(data)
        if cut < 0:
            # A last line without its end: whole if the file is, not yet while it still grows.
            if not data or self._follow:
                return None
            self._inside_line = True
            return self._block(data, len(data))
        return self._block(data[:cut], cut + 1)

    def _leave_line(self) -> None:
        """Go on behind a line that had no end when it was taken; if it has grown, read it anew."""
        following = self._file.read(1)
        if following == b"\n":
            self._offset += 1
        elif following:
            self._offset = _line_start(self._file, self._offset)
            self._lines -= 1
        self._inside_line = not following
        self._file.seek(self._offset)

    def _skip_line(self, start: bytes) -> Block:
        skipped = len(start)
        while chunk := self._file.readline(LONGEST_LINE):
            skipped += len(chunk)
            if chunk.endswith(b"\n"):
                break
        return self._block(start[:RAW_LIMIT], skipped)

    def _block(self, lines: bytes, consumed: int) -> Block:
        # Four times as fast as bytes.count, which would be a fiftieth of the whole flow.
        count = len(lines) - len(lines.replace(b"\n", b"")) + 1
        block = Block(self.name, self._lines + 1, count, lines)
        self._offset += consumed
        self._lines += count
        return block


def _line_start(file: BinaryIO, offset: int) -> int:
    start = max(0, offset - LONGEST_LINE)
    file.seek(start)
    return start + file.read(offset - start).rfind(b"\n") + 1


def _fingerprint(file: BinaryIO, offset: int) -> int:
    file.seek(0)
    start = file.read(min(FINGERPRINT_BYTES, offset))
    file.seek(max(0, offset - FINGERPRINT_BYTES))
    return crc32(file.read(min(FINGERPRINT_BYTES, offset)), crc32(start))
