"""Several files side by side as Bytewax reads them."""

from __future__ import annotations

from sources.abreast.reader import AbreastReader
from sources.files import FilePosition
from sources.partition import BlockPartition, BlockSource


class AbreastSource(BlockSource):
    """Files of events as a source of blocks, in the order of time."""

    def build_part(
        self, step_id: str, for_part: str, resume_state: dict[str, FilePosition] | None
    ) -> BlockPartition:
        """The reader, where it left off."""
        reader = AbreastReader(self._source, resume_state, follow=self._follow)
        return BlockPartition(reader, self._stop, follow=self._follow)
