"""What the health of a member is judged by: few figures, kept by an event or made from a log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Half-lives of the two decayed spends, in days.
SHORT, LONG = 30.0, 90.0
# Half-life of what a member opened, in days.
ENGAGED = 60.0


@dataclass(frozen=True, slots=True)
class History:
    """A member at an instant; times in days, `short` and `long` are decayed spends."""

    repeats: float  # days with a purchase after the first such day
    last: float  # from the first purchase to the last
    age: float  # since the first purchase
    short: float
    long: float
    engaged: float = 0.0  # messages opened, decayed
    returned: float = 0.0  # share of spend that came back

    @property
    def silence(self) -> float:
        """Days since the last purchase."""
        return self.age - self.last

    def after(self, days: float) -> History:
        """The same member so many days later, if it does nothing."""
        return History(
            self.repeats,
            self.last,
            self.age + days,
            decayed(self.short, days, SHORT),
            decayed(self.long, days, LONG),
            decayed(self.engaged, days, ENGAGED),
            self.returned,
        )


def decayed(amount: float, days: float, half_life: float) -> float:
    """What is left of an amount."""
    return amount * float(2.0 ** (-days / half_life))


@dataclass(frozen=True, slots=True)
class Histories:
    """Columns of `History` for many members."""

    repeats: Floats
    last: Floats
    age: Floats
    short: Floats
    long: Floats
    engaged: Floats
    returned: Floats

    def __len__(self) -> int:
        return len(self.age)

    def one(self, at: int) -> History:
        """A member of them."""
        return History(
            *(
                float(column[at])
                for column in (
                    self.repeats,
                    self.last,
                    self.age,
                    self.short,
                    self.long,
                    self.engaged,
                    self.returned,
                )
            )
        )


def history(
    days: Iterable[tuple[float, float]], now: float, *, engaged: float = 0.0, returned: float = 0.0
) -> History | None:
    """A member's figures from (day, net amount) of its purchase days; None where it has none.

    The amounts are net of what was given back, and a day of which all was given back is none: so a
    refund leaves what would have been without its purchase.
    """
    kept = sorted((day, amount) for day, amount in days if amount > 0 and day <= now)
    if not kept:
        return None
    first, last = kept[0][0], kept[-1][0]
    short = sum(decayed(amount, now - day, SHORT) for day, amount in kept)
    long = sum(decayed(amount, now - day, LONG) for day, amount in kept)
    return History(len(kept) - 1, last - first, now - first, short, long, engaged, returned)


@dataclass(frozen=True, slots=True)
class Log:
    """Purchases and refunds of many members, a row each; days are numbers.

    `day` is when it happened; `of` is the day of the purchase: the same, but for refunds, whose
    amounts are below 0. `engagements` are (member, day) of messages opened.
    """

    member: Ints
    day: Ints
    of: Ints
    amount: Floats
    engagements: tuple[Ints, Ints] | None = None


def histories(log: Log, at: int) -> tuple[Ints, Histories]:
    """Members with a purchase before day `at`, as they were known when it began."""
    seen = log.day < at
    pairs, place = np.unique(
        np.column_stack([log.member[seen], log.of[seen]]), axis=0, return_inverse=True
    )
    place = place.reshape(-1)
    net = _summed(place, log.amount[seen], len(pairs))
    paid = _summed(place, np.maximum(log.amount[seen], 0.0), len(pairs))
    # Sums of fractions that cancel may leave a crumb.
    kept = net > 1e-9
    members, who = np.unique(pairs[kept, 0], return_inverse=True)
    many, days, left = len(members), pairs[kept, 1], net[kept]
    first = np.full(many, np.iinfo(np.int64).max)
    last = np.full(many, np.iinfo(np.int64).min)
    np.minimum.at(first, who, days)
    np.maximum.at(last, who, days)

    def by_member(weights: Floats) -> Floats:
        return _summed(who, weights, many)

    gone = at - days
    # All that was ever paid, also on days that were wholly given back.
    spent = _of(members, pairs[:, 0], paid)
    back = spent - _of(members, pairs[:, 0], net)
    found = Histories(
        by_member(np.ones(len(days))) - 1,
        (last - first).astype(np.float64),
        (at - first).astype(np.float64),
        by_member(left * 2.0 ** (-gone / SHORT)),
        by_member(left * 2.0 ** (-gone / LONG)),
        _engaged(log, members, at),
        np.clip(back / np.maximum(spent, 1e-9), 0.0, 1.0),
    )
    return members, found


def _summed(places: Ints, weights: Floats, many: int) -> Floats:
    return np.bincount(places, weights, many).astype(np.float64)


def _of(members: Ints, rows: Ints, weights: Floats) -> Floats:
    """Sums by member, of rows that may be of others, too."""
    if not len(members):
        return np.zeros(0)
    spot = np.minimum(np.searchsorted(members, rows), len(members) - 1)
    mine = members[spot] == rows
    return _summed(spot[mine], weights[mine], len(members))


def _engaged(log: Log, members: Ints, at: int) -> Floats:
    if log.engagements is None:
        return np.zeros(len(members))
    who, day = log.engagements
    rows = day < at
    return _of(members, who[rows], 2.0 ** (-(at - day[rows]) / ENGAGED))


def bought_within(log: Log, members: Ints, at: int, days: int) -> Floats:
    """1 for members with a purchase in the `days` days from day `at`, 0 for others."""
    rows = (log.day >= at) & (log.day < at + days) & (log.amount > 0)
    return np.isin(members, log.member[rows]).astype(np.float64)
