"""One forecast from one origin: what was known until then, and the days after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from operators.forecast import engine, shapes
from operators.forecast.days import DayKind
from operators.forecast.engine import DaySeries
from operators.forecast.features import Known, drift_columns, matrix
from operators.forecast.panel import Panel
from operators.forecast.pooled import Prior, fit_one, learn, weak_prior
from operators.forecast.similar import (
    Likeness,
    borrowed_shapes,
    likenesses,
    new_stores,
)

Floats = NDArray[np.float64]

# (first day, day after the last, lead) -> what was known of these days `lead` days before each.
Outlook = Callable[[int, int, int], Known]
# Days of which less than this was observed teach nothing about their total.
LEAST_SHARE = 0.25
# A group with fewer grown stores believes what all stores believe.
_LEAST_GROUP = 8
# How much of a group's doubt stays when a new store borrows from its likes.
_BORROWED_DOUBT = 0.6


@dataclass(frozen=True, slots=True)
class Origin:
    """Forecasts of the days after day `at` of a panel.

    `days` has totals by model, (stores, ahead), `rates` the shapes of these days, (stores, ahead,
    96); `likes` are whom new stores borrow from.
    """

    at: int
    days: dict[str, Floats]
    rates: Floats
    likes: tuple[Likeness, ...] = field(default=())


class Columns:
    """The columns of the regression at each lead, made once for all origins."""

    def __init__(self, outlook: Outlook, days: int, ahead: int) -> None:
        self._days, self._ahead = days, ahead
        self._by_lead = {lead: matrix(outlook(0, days, lead)) for lead in range(1, ahead + 1)}

    def at(self, origin: int) -> tuple[Floats, int]:
        """Past days as they were forecast the day before, coming ones at their own lead.

        Weather was only forecast, in the past as it is now: what people do when rain is *forecast*
        is what can be used tomorrow.
        """
        past = self._by_lead[1][:, :origin]
        coming = [
            self._by_lead[lead][:, origin + lead - 1 : origin + lead]
            for lead in range(1, self._ahead + 1)
        ]
        ramps = drift_columns(origin, self._ahead)
        known = np.concatenate([past, *coming], axis=1)
        wide = np.broadcast_to(ramps, (len(known), *ramps.shape))
        return np.concatenate([known, wide], axis=-1), ramps.shape[1]


def forecast_from(
    panel: Panel,
    kinds: Sequence[DayKind],
    columns: Columns,
    models: Sequence[str],
    *,
    jobs: int = 1,
    only: NDArray[np.intp] | None = None,
) -> Origin:
    """Forecast the days after the panel's last by each of the models.

    With `only`, for some of the stores; what stores share is learned from all of them all the same.
    """
    origin = panel.days
    known, ramps = columns.at(origin)
    of_shape = np.array([kind.shape for kind in kinds])
    fresh = new_stores(panel)
    rates = shapes.fit(panel, of_shape[:origin])
    likes = likenesses(panel, rates, of_shape[:origin], fresh) if fresh else []
    likes = [one for one in likes if len(one.others)]
    if likes:
        borrowed = borrowed_shapes(rates, likes)
        who = [one.store for one in likes]
        rates = shapes.fit(panel, of_shape[:origin], borrowed, who)
    past = rates[:, of_shape[:origin]]
    totals = shapes.day_totals(panel, past)
    weight = np.minimum((past * panel.exposure).sum(axis=-1), 1.0)
    weight = np.where(weight < LEAST_SHARE, 0.0, weight)
    priors, prior_of = _priors(panel, totals, known[:, :origin], weight, ramps, likes)
    series = DaySeries(panel.first, totals, weight, known, ramps, priors, prior_of)
    which = slice(None) if only is None else only
    days = engine.forecast(series.of(which), models, jobs=jobs)
    ahead = of_shape[origin : origin + series.ahead]
    return Origin(origin, days, rates[which][:, ahead], tuple(likes))


def _priors(
    panel: Panel,
    totals: Floats,
    columns: Floats,
    weight: Floats,
    ramps: int,
    likes: Sequence[Likeness],
) -> tuple[list[Prior], NDArray[np.intp]]:
    """Priors, and which of them is each store's: its group's, or that of a new store's likes."""
    grown = np.ones(len(panel.stores), dtype=bool)
    grown[[one.store for one in likes]] = False
    if not grown.any():
        return [weak_prior(columns.shape[-1])], np.zeros(len(panel.stores), dtype=np.intp)
    priors = [learn(totals[grown], columns[grown], weight[grown], ramps)]
    prior_of = np.zeros(len(panel.stores), dtype=np.intp)
    groups = np.array(panel.groups)
    for group in np.unique(groups):
        mine = groups == group
        if group and (mine & grown).sum() >= _LEAST_GROUP and not mine[grown].all():
            use = mine & grown
            priors.append(learn(totals[use], columns[use], weight[use], ramps))
            prior_of[mine] = len(priors) - 1
    fits: dict[int, Floats] = {}
    for one in likes:
        base = priors[prior_of[one.store]]
        for other in one.others:
            if other not in fits:
                fits[other] = fit_one(totals[other], columns[other], weight[other], base)
        own = np.stack([fits[other] for other in one.others])
        mean = one.weights @ own
        apart = one.weights @ (own - mean) ** 2
        precision = base.precision.copy()
        # Levels of stores are far apart: that of its likes is only where a store begins.
        precision[0] = 1 / max(float(apart[0]), 0.05)
        precision[1:] = precision[1:] / _BORROWED_DOUBT
        priors.append(Prior(mean, precision, base.spread))
        prior_of[one.store] = len(priors) - 1
    return priors, prior_of
