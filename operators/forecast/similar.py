"""Which stores a new one is like: what they are, and how much its first days look like theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from operators.forecast.panel import Panel

Floats = NDArray[np.float64]

# A store with fewer days of its own borrows; four weeks show each day of the week four times.
NEW_DAYS = 28
# Stores that one is compared with, at most, and that are named as its likes.
_COMPARED, NAMED = 60, 3
# Shapes of days differ by more than Poisson: the likelihood counts for so much only.
_TEMPER = 0.1


class Likeness(NamedTuple):
    """`weights` of the stores `others` for one new store, adding up to 1."""

    store: int
    others: NDArray[np.intp]
    weights: Floats


def new_stores(panel: Panel) -> list[int]:
    """Stores that were observed on fewer than `NEW_DAYS` days."""
    days = (panel.exposure.sum(axis=-1) > 0).sum(axis=1)
    return [int(at) for at in np.flatnonzero(days < NEW_DAYS)]


def likenesses(
    panel: Panel, rates: Floats, kinds: NDArray[np.intp], fresh: Sequence[int]
) -> list[Likeness]:
    """For each new store, how much each older one counts.

    Only stores of its own group are asked where there are some. Among them it is Bayes: the counts
    of its days given each one's shape (multinomial), all equally likely before. `rates` are those
    of all stores by kind of day.
    """
    old = np.setdiff1d(np.arange(len(panel.stores)), np.array(fresh, dtype=np.intp))
    groups = np.array(panel.groups)
    found = []
    for store in fresh:
        mine = old[groups[old] == groups[store]] if groups[store] else old
        others = mine if len(mine) else old
        if len(others) > _COMPARED:
            others = others[np.linspace(0, len(others) - 1, _COMPARED).astype(int)]
        if not len(others):
            found.append(Likeness(store, others, np.zeros(0)))
            continue
        days = np.flatnonzero(panel.exposure[store].sum(axis=-1) > 0)
        exposure, counts = panel.exposure[store][days], panel.counts[store][days]
        expected = rates[others][:, kinds[days]] * exposure
        expected = expected / np.maximum(expected.sum(axis=-1, keepdims=True), 1e-9)
        logs = np.sum(counts * np.log(np.maximum(expected, 1e-5)) * (exposure > 0), axis=(1, 2))
        weights = np.exp(_TEMPER * (logs - logs.max()))
        found.append(Likeness(store, others, weights / weights.sum()))
    return found


def borrowed_shapes(rates: Floats, found: Sequence[Likeness]) -> Floats:
    """The shapes of the likes of each new store, mixed, (new stores, kinds, 96)."""
    return np.stack([np.tensordot(one.weights, rates[one.others], axes=1) for one in found])


def names(panel: Panel, one: Likeness) -> list[str]:
    """Whom a store is most like."""
    best = np.argsort(-one.weights, kind="stable")[:NAMED]
    return [panel.stores[one.others[at]] for at in best]
