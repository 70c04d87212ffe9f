"""Many stores side by side: what was counted in each quarter of an hour, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SLOTS = 96


@dataclass(frozen=True, slots=True)
class Panel:
    """Counts of `stores` over days from `first`, by the local time of the day.

    `counts` and `exposure` are (stores, days, 96). `exposure` is how many quarters of real time
    were open and observed in a slot: 1, 2 where clocks went back, 0 where the shop was closed, the
    sensor dead, goods out of stock or the window not final. What has no exposure is never looked
    at. `groups` says which stores are alike by what they are (a mall, a station); "" is unknown.
    """

    stores: tuple[str, ...]
    groups: tuple[str, ...]
    first: date
    counts: Floats
    exposure: Floats

    def __post_init__(self) -> None:
        shape = (len(self.stores), self.days, SLOTS)
        if self.counts.shape != shape or self.exposure.shape != shape:
            msg = f"counts and exposure must be {shape}, one row for each of the stores"
            raise ValueError(msg)
        if len(self.groups) != len(self.stores):
            msg = f"{len(self.groups)} groups for {len(self.stores)} stores: give one each"
            raise ValueError(msg)
        # What stands where nothing was observed must not count, whatever it is.
        blind = self.exposure <= 0
        if self.counts[blind].any() or np.isnan(self.counts).any():
            object.__setattr__(self, "counts", np.where(blind, 0.0, self.counts))

    @property
    def days(self) -> int:
        """How many days it has."""
        return int(self.counts.shape[1])

    @property
    def end(self) -> date:
        """The day after the last."""
        return self.first + timedelta(days=self.days)

    def until(self, days: int) -> Panel:
        """The first `days` days of it."""
        return replace(self, counts=self.counts[:, :days], exposure=self.exposure[:, :days])

    def of(self, which: NDArray[np.intp]) -> Panel:
        """Some of the stores."""
        return replace(
            self,
            stores=tuple(self.stores[at] for at in which),
            groups=tuple(self.groups[at] for at in which),
            counts=self.counts[which],
            exposure=self.exposure[which],
        )


def hours(values: Floats) -> Floats:
    """Quarters of an hour summed to hours, along the last axis."""
    return np.asarray(values.reshape(*values.shape[:-1], SLOTS // 4, 4).sum(axis=-1))
