"""How a day's total spreads over its quarters: each store's own shape, as far as it is known.

A shape is a rate for each quarter, 1 in all over the quarters in which the store is usually open.
Counts are Poisson, and a store's rates are gamma around those of stores like it, so the posterior
mean is (count + strength x expected rate) / (exposure + strength): gamma-Poisson shrinkage as in
Clayton and Kaldor (1987, Biometrics 43). The strength is the one that makes what was counted most
likely, by the marginal (negative binomial) likelihood over many stores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from operators.forecast.days import SHAPES
from operators.forecast.panel import SLOTS, Panel

Floats = NDArray[np.float64]

STRENGTHS = (30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 100_000.0)
# Stores that decide on the strength; more would not change it.
JUDGED = 200
# A quarter that no store ever saw open still has a little of everything.
LEAST = 1e-6
_ROUNDS = 3


def smooth(shape: Floats) -> Floats:
    """A quarter with a little of its neighbours, where those are open."""
    filled = np.concatenate([shape[..., :1] * 0, shape, shape[..., -1:] * 0], axis=-1)
    left, right = filled[..., :-2], filled[..., 2:]
    beside = (left > 0) * 1.0 + (right > 0)
    there = shape > 0
    mixed = (2 * shape + left + right) / (2 + beside)
    return np.where(there, mixed, shape)


def strength(counts: Floats, exposure: Floats, expected: Floats) -> float:
    """The strength of `STRENGTHS` under which these counts are most likely.

    Counts, exposure (in days' totals) and expected rates have one shape; what has no exposure
    does not count.
    """
    there = (exposure > 0) & (expected > LEAST)
    y, e, rate = counts[there], exposure[there], expected[there]
    best, found = -np.inf, STRENGTHS[-1]
    for each in STRENGTHS:
        a = each * rate
        logs = gammaln(y + a) - gammaln(a) + a * np.log(each / (each + e))
        total = float(np.sum(logs + y * np.log(e / (each + e))))
        if total > best:
            best, found = total, each
    return found


def fit(
    panel: Panel, kinds: NDArray[np.intp], borrowed: Floats | None = None, fresh: Sequence[int] = ()
) -> Floats:
    """Rates of every store for every kind of day, (stores, kinds, 96).

    `kinds` is the kind of shape of each day. For the stores `fresh`, which are too new to know
    their own, the rates are shrunk towards `borrowed` (fresh, kinds, 96).
    """
    counts, exposure = panel.counts, panel.exposure
    groups, group_of = np.unique(np.array(panel.groups), return_inverse=True)
    usual = exposure.sum(axis=1) > 0
    rates = np.where(usual, 1.0 / np.maximum(usual.sum(axis=1, keepdims=True), 1), 0.0)
    rates = np.repeat(rates[:, None], SHAPES, axis=1)
    for _ in range(_ROUNDS):
        totals = day_totals(panel, rates[:, kinds])
        seen = np.zeros((len(panel.stores), SHAPES, SLOTS))
        held = np.zeros_like(seen)
        for kind in range(SHAPES):
            days = kinds == kind
            seen[:, kind] = counts[:, days].sum(axis=1)
            held[:, kind] = (exposure[:, days] * totals[:, days, None]).sum(axis=1)
        rates = _levels(seen, held, group_of, len(groups))
        if borrowed is not None and len(fresh):
            rates[list(fresh)] = _towards(seen[list(fresh)], held[list(fresh)], borrowed)
        open_share = np.where(usual[:, None], rates, 0).sum(axis=-1, keepdims=True)
        rates = rates / np.where(open_share > 0, open_share, rates.sum(axis=-1, keepdims=True))
    return rates


def _levels(seen: Floats, held: Floats, group_of: NDArray[np.intp], groups: int) -> Floats:
    """Everybody's rates, then each group's, then each store's: over all days, then by kind."""
    whole = (seen.sum(axis=(0, 1)) + LEAST) / np.maximum(held.sum(axis=(0, 1)), 1.0)
    chain = _towards(seen.sum(axis=0), held.sum(axis=0), np.broadcast_to(whole, (SHAPES, SLOTS)))
    in_group = np.zeros((groups, *seen.shape[1:]))
    held_by = np.zeros_like(in_group)
    np.add.at(in_group, group_of, seen)
    np.add.at(held_by, group_of, held)
    of_group = _refined(in_group, held_by, np.broadcast_to(chain, in_group.shape))
    return smooth(_refined(seen, held, of_group[group_of]))


def _refined(seen: Floats, held: Floats, expected: Floats) -> Floats:
    """Rates by kind of day: expected ones, moved by what all days of one's own have in common."""
    weight = held.sum(axis=1, keepdims=True)
    mixed = np.where(weight > 0, held / np.maximum(weight, 1e-9), 1 / SHAPES)
    together = np.sum(expected * mixed, axis=1)
    whole = _towards(seen.sum(axis=1), held.sum(axis=1), together)
    own = expected * (whole / np.maximum(together, LEAST))[:, None]
    return _towards(seen, held, own)


def _towards(seen: Floats, held: Floats, expected: Floats) -> Floats:
    judged = slice(None, JUDGED) if seen.ndim > 1 and len(seen) > JUDGED else slice(None)
    pull = strength(seen[judged], held[judged], expected[judged])
    return np.asarray((seen + pull * expected) / (held + pull))


def day_totals(panel: Panel, rates: Floats) -> Floats:
    """What each day would have come to with everything open and observed; NaN-free, (stores, days).

    `rates` are those of each day, (stores, days, 96).
    """
    share = (rates * panel.exposure).sum(axis=-1)
    return np.where(share > 0, panel.counts.sum(axis=-1) / np.maximum(share, 1e-9), 0.0)
