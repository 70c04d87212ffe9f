"""The kinds of shops that are compared: how busy, what shape the day has, how the manager plans."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from operators.roster.problem import SLOTS_AN_HOUR

OPENS, CLOSES = 9, 21
OPEN_SLOTS = (CLOSES - OPENS) * SLOTS_AN_HOUR
# How heads are found by hand: see habits.py.
MANAGERS = BY_THUMB, BY_RUSHES, BY_GOAL = ("thumb", "rushes", "goal")


class Kind(NamedTuple):
    """A task: its share of the work, seconds of a service and of patience, and a customer's sale.

    `spread` is the service's coefficient of variation (1: exponential), `sale` in minor units.
    """

    share: float
    service_s: float
    spread: float
    patience_s: float
    sale: int


class Peak(NamedTuple):
    """A rush: the hour of its middle, its height, and hours until it is 1/e of that."""

    hour: float
    height: float
    width: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of shop.

    `base` and `peaks` are the day's shape, up to a factor. `weekdays` are factors from Monday on,
    `luck` is the spread of a day about what is usual for it. The contracts' hours are
    `hours_to_load` times the hours that serving takes. `waiting_cost` is what an hour of one
    customer's waiting is worth, in minor units. `manager` says how heads are found by hand,
    `shares` what of evenings and weekends is shared (see the rules of fairness). With a `swing` of
    0 customers come at the same rate all day, with 1 as the shape says.
    """

    name: str
    tasks: dict[str, Kind]
    base: float
    peaks: tuple[Peak, ...]
    weekdays: tuple[float, ...]
    luck: float
    people: tuple[int, int]
    hours_to_load: float
    waiting_cost: int
    manager: str
    shares: Literal["needed", "worth_pay"]
    swing: float = 1.0

    def changed(
        self,
        *,
        busy: float = 1.0,
        peaks: float = 1.0,
        patience: float = 1.0,
        waiting_cost: int | None = None,
        luck: float | None = None,
        manager: str | None = None,
    ) -> Scenario:
        """The same with so many times as many customers, as long a patience.

        With `peaks` below 1 the day's rushes and quiet hours are so much nearer to its mean. What
        is None stays as it is.
        """
        return replace(
            self,
            hours_to_load=self.hours_to_load / busy,
            swing=self.swing * peaks,
            tasks={
                name: kind._replace(patience_s=kind.patience_s * patience)
                for name, kind in self.tasks.items()
            },
            waiting_cost=self.waiting_cost if waiting_cost is None else waiting_cost,
            luck=self.luck if luck is None else luck,
            manager=self.manager if manager is None else manager,
        )

    def profile(self, quarter: int) -> float:
        """The day's shape in a quarter of the opening hours; its mean is 1."""
        mean = sum(map(self.shape, range(OPEN_SLOTS))) / OPEN_SLOTS
        return 1 + self.swing * (self.shape(quarter) / mean - 1)

    @property
    def highest(self) -> float:
        """The day's peak by its mean."""
        return max(map(self.profile, range(OPEN_SLOTS)))

    def shape(self, quarter: int) -> float:
        """The day's shape in a quarter of the opening hours, up to a factor."""
        hour = OPENS + quarter / SLOTS_AN_HOUR
        return self.base + sum(
            one.height * math.exp(-(((hour - one.hour) / one.width) ** 2)) for one in self.peaks
        )


AMPLE = Scenario(
    "ample",
    tasks={
        "till": Kind(0.5, 90.0, 0.7, 600.0, 1_100),
        "making": Kind(0.5, 180.0, 1.0, 900.0, 2_200),
    },
    base=0.55,
    peaks=(Peak(12.5, 0.9, 1.3), Peak(18.0, 1.0, 1.6)),
    weekdays=(0.9, 0.9, 0.9, 0.9, 0.9, 1.25, 1.25),
    luck=0.12,
    people=(8, 12),
    hours_to_load=3.58,
    waiting_cost=12_000,
    manager=BY_GOAL,
    shares="needed",
)
RUSH = Scenario(
    "rush",
    tasks={
        "till": Kind(0.5, 90.0, 0.7, 3_600.0, 535),
        "making": Kind(0.5, 180.0, 1.0, 3_600.0, 1_070),
    },
    base=0.25,
    peaks=(Peak(12.25, 2.8, 0.9), Peak(16.0, 0.8, 0.6), Peak(18.5, 2.8, 1.0)),
    weekdays=(0.82, 0.82, 0.88, 0.94, 1.12, 1.26, 1.16),
    luck=0.2,
    people=(12, 16),
    hours_to_load=1.66,
    waiting_cost=1_500,
    manager=BY_THUMB,
    shares="worth_pay",
)
SCENARIOS = {one.name: one for one in (RUSH, AMPLE)}
