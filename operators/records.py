"""Records of a log as flows take them in: many of one topic partition at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

# As they came: names may repeat, and a value may be missing.
Headers = tuple[tuple[str, bytes | None], ...]


class Record(NamedTuple):
    """One record; `timestamp_ms` is the log's own, milliseconds since 1970, or -1."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    offset: int
    timestamp_ms: int


class RecordBlock(NamedTuple):
    """Records of one topic partition, in the order of their offsets; these may leave gaps."""

    topic: str
    partition: int
    records: list[Record]

    @property
    def origin(self) -> str:
        """Where the records stood, as dead letters name it."""
        return f"{self.topic}/{self.partition}"


class ReadUp(NamedTuple):
    """That a part of a source has handed out all that was there when it began."""

    part: str


class NewFiles(NamedTuple):
    """What was made of files that have changed while a flow runs, all of it: in force from now."""

    content: tuple[Any, ...]
