"""What the engine asks of a state machine, and what it asks of the journal behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

I_contra = TypeVar("I_contra", contravariant=True)
O_co = TypeVar("O_co", covariant=True)


class Sharded(Protocol):
    """An item that says which shard it belongs to: the engine does not tell."""

    @property
    def shard(self) -> int:
        """Number of the shard."""


class Machine(Protocol[I_contra, O_co]):
    """A pure, deterministic state machine of one shard; times are microseconds since 1970 UTC."""

    def apply(self, items: Sequence[I_contra], now: int) -> Sequence[O_co]:
        """Take items in the order they arrived; hand out what must be known at once."""

    def waiting(self) -> bool:
        """Whether outputs wait to be flushed."""

    def full(self) -> bool:
        """Whether so many outputs wait that they should be flushed without further delay."""

    def flush(self) -> Sequence[O_co]:
        """Hand out what waits."""

    def due(self, now: int) -> int | None:
        """When `tick` is next needed, or None."""

    def tick(self, now: int) -> Sequence[O_co]:
        """Let time pass."""

    def dump(self) -> tuple[int, bytes]:
        """Version and whole state; outputs that wait are part of it."""

    def restore(self, version: int, packed: bytes) -> None:
        """Take up the state of a dump."""

    def journal_entry(self) -> bytes:
        """What `apply` has changed since the last call, for `replay`."""

    def flush_entry(self) -> bytes:
        """That what waited was handed out, for `replay`."""

    def tick_entry(self, now: int) -> bytes:
        """What `tick` at `now` has changed, for `replay`."""

    def replay(self, entry: bytes) -> None:
        """Bring a journal entry about again; its outputs wait to be flushed once more."""


class Journal(Protocol):
    """Where a shard's state is kept between runs: a base and the entries since."""

    def read(self, generation: int, length: int) -> list[bytes]:
        """Base (first) and entries as they were when `mark` answered these two."""

    def append(self, entry: bytes) -> None:
        """Add an entry; durable at the next `mark`."""

    def wants_base(self) -> bool:
        """Whether the entries have outgrown the base, so that a new one pays."""

    def rebase(self, base: bytes) -> None:
        """Start anew from a base."""

    def mark(self) -> tuple[int, int]:
        """Make all durable; the generation and length from which `read` gives it back."""
