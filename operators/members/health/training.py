"""Fitting the health model from a log of purchases, judged on days that come later.

Members are looked at on several days a month apart; what they did in the 30 days after is what is
learnt. The last of these days judge: the terms that win there are kept, and if none beats recency
alone, recency alone it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from operators.members.health import logistic
from operators.members.health.alive import Floats
from operators.members.health.fitting import FitError, fit
from operators.members.health.history import Log, bought_within, histories
from operators.members.health.measures import Measured, measured
from operators.members.health.model import Evidence, HealthModel, Kind, Weight
from operators.members.health.terms import HORIZON, TERMS, Ground, terms_many, usual_gap

# The terms of each kind; `purchases` is the calibrated BG/NBD alone.
KINDS: dict[Kind, tuple[str, ...]] = {
    "full": TERMS,
    "purchases": ("base",),
    "recency": ("recency",),
}
RIDGE = 1.0  # members' worth of doubt about each weight
ORIGINS = 8
_JUDGES = 0.25  # of the days looked at
_LEAST_BUYERS = 30


@dataclass(frozen=True, slots=True)
class Lesson:
    """Terms of members on a day, and whether they bought in the 30 days from it."""

    terms: Floats
    came: Floats


def train(log: Log, until: int, version: str, origins: int = ORIGINS) -> HealthModel:
    """Fit a model from what is known when day `until` begins.

    Raises:
        FitError: too few purchases, or too short a time.
    """
    span = int(HORIZON)
    first = int(log.day.min(initial=until))
    days = [until - span * (k + 1) for k in range(origins)]
    # Each needs as much past as it has future.
    days = sorted(day for day in days if day >= first + span)
    if len(days) < 3:
        msg = f"{until - first} days of purchases: five times {span} are the least"
        raise FitError(msg)
    _, known = histories(log, until)
    purchases = fit(known.repeats, known.last, known.age)
    ground = Ground(purchases, usual_gap(known))
    judges = max(1, round(_JUDGES * len(days)))
    lessons, exams = lesson(log, ground, days[:-judges]), lesson(log, ground, days[-judges:])
    for one in (lessons, exams):
        if not _LEAST_BUYERS <= one.came.sum() < len(one.came):
            msg = f"{one.came.sum():.0f} purchases in the days looked at: too few to learn from"
            raise FitError(msg)
    found = {kind: _judged(lessons, exams, names) for kind, names in KINDS.items()}
    best = min(found, key=lambda kind: found[kind].log_loss)
    everything = Lesson(
        np.vstack([lessons.terms, exams.terms]), np.concatenate([lessons.came, exams.came])
    )
    constant, weights = weigh(everything, KINDS[best])
    usual = float(everything.came.mean())
    return HealthModel(
        version,
        best,
        purchases,
        ground.gap,
        constant,
        weights,
        (usual / 2, min(1.5 * usual, 0.95)),
        {kind: _evidence(one) for kind, one in found.items()},
        len(known),
    )


def lesson(log: Log, ground: Ground, days: list[int]) -> Lesson:
    """Members as they were on each of these days, and what came."""
    rows, came = [], []
    for day in days:
        members, known = histories(log, day)
        rows.append(terms_many(ground, known))
        came.append(bought_within(log, members, day, int(HORIZON)))
    return Lesson(np.vstack(rows), np.concatenate(came))


def weigh(one: Lesson, names: tuple[str, ...]) -> tuple[float, dict[str, Weight]]:
    """The constant and the weights of terms; those that are the same for all are left out."""
    at = [TERMS.index(name) for name in names]
    columns = one.terms[:, at]
    means, scales = columns.mean(axis=0), columns.std(axis=0)
    told = scales > 1e-9
    found = logistic.fit((columns[:, told] - means[told]) / scales[told], one.came, RIDGE)
    kept = [name for name, is_told in zip(names, told, strict=True) if is_told]
    weights = {
        name: Weight(float(mean), float(scale), float(weight))
        for name, mean, scale, weight in zip(
            kept, means[told], scales[told], found[1:], strict=True
        )
    }
    return float(found[0]), weights


def weighed(one: Lesson, constant: float, weights: dict[str, Weight]) -> Floats:
    """Chances by such weights."""
    total = np.full(len(one.came), constant)
    for name, weight in weights.items():
        total += weight.weight * (one.terms[:, TERMS.index(name)] - weight.mean) / weight.scale
    return cast(Floats, 1 / (1 + np.exp(-total)))


def _judged(lessons: Lesson, exams: Lesson, names: tuple[str, ...]) -> Measured:
    return measured(weighed(exams, *weigh(lessons, names)), exams.came)


def _evidence(one: Measured) -> Evidence:
    return Evidence(one.log_loss, one.brier, one.auc, one.n)
