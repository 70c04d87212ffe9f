"""What the simulation needs of `random.Random`: randomness comes from outside, with its seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Draws(Protocol):
    """A generator of random numbers."""

    def expovariate(self, lambd: float, /) -> float:
        """An exponential time of this rate."""

    def lognormvariate(self, mu: float, sigma: float, /) -> float:
        """A lognormal number."""

    def randint(self, a: int, b: int, /) -> int:
        """A whole number from `a` to `b`."""

    def randrange(self, stop: int, /) -> int:
        """A whole number below `stop`."""

    def choice(self, seq: Sequence[T], /) -> T:
        """One of them."""

    def sample(self, population: Sequence[T], k: int, /) -> list[T]:
        """Some of them, none twice."""
