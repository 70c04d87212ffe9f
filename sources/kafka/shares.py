"""Whose a partition is among readers that share topics, and how far each of them is read."""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

# topic -> partition -> offset to read next
Offsets = dict[str, dict[int, int]]


class Share(NamedTuple):
    """Which of so many shares of all partitions: numbered from 0."""

    number: int
    shares: int

    def holds(self, topic: str, partition: int) -> bool:
        """Whether a partition belongs to it; neighbours go to different shares."""
        return (crc32(topic.encode()) + partition) % self.shares == self.number


class Reading:
    """One partition that is being read."""

    __slots__ = ("behind_since", "done", "end", "position")

    def __init__(self, position: int | None) -> None:
        self.position = position
        self.end: int | None = None
        self.done = False
        self.behind_since: float | None = None
