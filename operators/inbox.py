"""Where a worker's facts come from: batches with the place where reading goes on."""

from __future__ import annotations

from typing import Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class Unreadable(Exception):
    """A record that cannot be used; the message says why."""


class Position(NamedTuple):
    """Where reading goes on: the next offset of a topic's partition, the next byte of a file."""

    topic: str
    part: int
    next: int


class Refused(NamedTuple):
    """A record that could not be read, and why."""

    topic: str
    part: int
    at: int
    reason: str
    raw: bytes


class Batch(NamedTuple, Generic[T]):
    """What was read at once; `positions` are to be committed together with what follows from it."""

    items: list[T]
    refused: list[Refused]
    positions: list[Position]


class Inbox(Protocol[T]):
    """Something to read from."""

    def read(self, timeout: float) -> Batch[T]:
        """What is there; waits for something at most so many seconds."""
        ...

    def ended(self) -> bool:
        """Whether all was read that was there at the start."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
