"""What a drill is asked and what it finds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from infra.drill.count import Number


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillOptions:
    """What kind of drill: `minutes` of load; `kafka_home` an Apache Kafka that is at hand."""

    minutes: float = 5.0
    short: bool = False
    kafka_home: Path | None = None
    speed: float = 120.0


@dataclass(slots=True)
class Recovery:
    """One fault and how long a sale right after it took to be everywhere, by leg."""

    name: str
    did: str
    legs: dict[str, float]
    missing: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """The slowest leg."""
        return max(self.legs.values(), default=0.0)


@dataclass(slots=True)
class Result:
    """What a drill found."""

    broker: str = ""
    recoveries: list[Recovery] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    promises: Counter[str] = field(default_factory=Counter)
    why_broken: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether a number that must be 0 is not, or a probe did not arrive."""
        return any(one.zero and one.value for one in self.numbers) or any(
            one.missing for one in self.recoveries
        )
