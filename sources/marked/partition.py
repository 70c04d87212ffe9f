"""A source that also tells when each of its parts has handed out all that was there at its start.

Until then time must not act: what an earlier run missed is not known yet, and what was due
meanwhile would be done without it. Its first part also brings news of files beside the events: an
input of its own would be one more part that a recovery folder may never miss again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from operators.records import NewFiles, ReadUp

X = TypeVar("X")
X_co = TypeVar("X_co", covariant=True)
News = Callable[[], NewFiles | None]


class Part(Protocol[X_co]):
    """A partition that knows when it has read up."""

    def next_batch(self) -> Iterable[X_co]:
        """What is there; StopIteration ends the input."""

    def next_awake(self) -> datetime | None:
        """When to be asked again after nothing was there."""

    def snapshot(self) -> Any:
        """Where to resume."""

    def close(self) -> None:
        """The input has ended or was stopped."""

    def read_up(self) -> bool:
        """Whether all was handed out that was there at the start."""


class Parts(Protocol[X_co]):
    """A source of such partitions."""

    def list_parts(self) -> list[str]:
        """Their names."""

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> Part[X_co]:
        """One of them, where it left off."""


class MarkedPartition(StatefulSourcePartition[X | ReadUp | NewFiles, Any], Generic[X]):
    """A partition, and once among what it hands out the mark that it has read up."""

    def __init__(self, part: Part[X], name: str, news: News | None = None) -> None:
        self._part = part
        self._name = name
        self._news = news
        self._told = False

    def next_batch(self) -> Iterable[X | ReadUp | NewFiles]:
        """What is there; StopIteration ends the input."""
        found: list[X | ReadUp | NewFiles] = list(self._part.next_batch())
        new = None if self._news is None else self._news()
        if new is not None:
            found.append(new)
        if not self._told and self._part.read_up():
            self._told = True
            found.append(ReadUp(self._name))
        return found

    def next_awake(self) -> datetime | None:
        """When to be asked again after nothing was there."""
        return self._part.next_awake()

    def snapshot(self) -> Any:
        """Where to resume: as the partition itself, for a mark is of one run."""
        return self._part.snapshot()

    def close(self) -> None:
        """The input has ended or was stopped."""
        self._part.close()


class MarkedSource(FixedPartitionedSource[X | ReadUp | NewFiles, Any], Generic[X]):
    """A source with marks; its partitions and their snapshots are those of the source itself.

    `news` is asked again and again, by one process.
    """

    def __init__(self, source: Parts[X], news: News | None = None) -> None:
        self._source = source
        self._news = news

    def list_parts(self) -> list[str]:
        """The partitions of the source."""
        return self._source.list_parts()

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> MarkedPartition[X]:
        """A partition of the source."""
        part = self._source.build_part(step_id, for_part, resume_state)
        is_first = for_part == min(self._source.list_parts())
        return MarkedPartition(part, for_part, self._news if is_first else None)
