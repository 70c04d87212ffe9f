"""The file source as Bytewax reads it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from threading import Event

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from operators.stock.decode import Block
from sources.blocks import BlockReader
from sources.files import FilePosition

# The engine's partitions must never vanish between runs (it panics), so there is one with a fixed
# name whatever the files are called; it reads them one after the other.
PARTITION = "files"
# How soon a quiet file is looked at again when it is followed.
POLL = timedelta(milliseconds=50)


class BlockPartition(StatefulSourcePartition[Block, dict[str, FilePosition]]):
    """Reads blocks; ends at the end of the files, or when asked to stop."""

    def __init__(self, reader: BlockReader, stop: Event, *, follow: bool) -> None:
        self._reader = reader
        self._stop = stop
        self._follow = follow
        self._awake: datetime | None = None
        self._read_up = False

    def next_batch(self) -> Iterable[Block]:
        """Some blocks; StopIteration ends the input."""
        if self._stop.is_set():
            raise StopIteration
        blocks = self._reader.next_blocks()
        if blocks:
            self._awake = None
            return blocks
        self._read_up = True
        if not self._follow:
            raise StopIteration
        self._awake = datetime.now(UTC) + POLL
        return []

    def next_awake(self) -> datetime | None:
        """When to be asked again after nothing was there."""
        return self._awake

    def read_up(self) -> bool:
        """Whether the end of all files has been seen."""
        return self._read_up

    def snapshot(self) -> dict[str, FilePosition]:
        """Where to resume: after the last block handed over."""
        return self._reader.positions()

    def close(self) -> None:
        """The input has ended or was stopped."""
        self._reader.close()


class BlockSource(FixedPartitionedSource[Block, dict[str, FilePosition]]):
    """Files of events as a source of blocks."""

    def __init__(self, source: str, stop: Event, *, follow: bool = False) -> None:
        self._source = source
        self._stop = stop
        self._follow = follow

    def list_parts(self) -> list[str]:
        """The one partition."""
        return [PARTITION]

    def build_part(
        self,
        step_id: str,
        for_part: str,
        resume_state: dict[str, FilePosition] | None,
    ) -> BlockPartition:
        """The reader, where it left off."""
        reader = BlockReader(self._source, resume_state, follow=self._follow)
        return BlockPartition(reader, self._stop, follow=self._follow)
