"""The health of a member: its calibrated chance of a purchase in 30 days, and why.

A logistic regression over few terms, whose first is the chance that the modified BG/NBD gives;
where a fit did not beat recency on later days, it is recency alone, and `kind` says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np

from operators.members.health.alive import Floats, Parameters, alive, alive_until
from operators.members.health.history import Histories, History
from operators.members.health.terms import TERMS, Ground, own_gap, terms, terms_many

Kind = Literal["full", "purchases", "recency"]
_FORMAT = 1
BANDS = ("at_risk", "watch", "healthy")


class ModelError(ValueError):
    """A file is no model of this version; the text says what to do."""


class Weight(msgspec.Struct, frozen=True):
    """What a term adds to the logarithm of the odds, for each `scale` above the `mean` member."""

    mean: float
    scale: float
    weight: float


class Evidence(msgspec.Struct, frozen=True):
    """On later days that the weights were not made from: log loss in nats, Brier score, AUC."""

    log_loss: float
    brier: float
    auc: float
    n: int


class HealthModel(msgspec.Struct, frozen=True):
    """Everything that a score needs; a file of JSON."""

    version: str
    kind: Kind
    purchases: Parameters  # in days
    gap_days: float
    constant: float
    weights: dict[str, Weight]
    # Chances below the first are `at_risk`, from the second on `healthy`, between them `watch`.
    bands: tuple[float, float]
    evidence: dict[str, Evidence]
    members: int
    format: int = _FORMAT

    @property
    def ground(self) -> Ground:
        """What the terms are computed with."""
        return Ground(self.purchases, self.gap_days)


@dataclass(frozen=True, slots=True)
class Driver:
    """A term's part in a score: so many times the odds of the average member, and why."""

    term: str
    odds: float
    words: str


@dataclass(frozen=True, slots=True)
class Health:
    """A member's chance of a purchase in 30 days, 0 to 1, and what drives it, strongest first."""

    chance: float
    band: str
    alive: float
    drivers: tuple[Driver, ...]

    @property
    def score(self) -> int:
        """0 to 100."""
        return round(100 * self.chance)


def chance(model: HealthModel, one: History) -> float:
    """A member's chance; for a stream, without the reasons."""
    total = model.constant
    for name, value in zip(TERMS, terms(model.ground, one), strict=True):
        weight = model.weights.get(name)
        if weight is not None:
            total += weight.weight * (value - weight.mean) / weight.scale
    return 1 / (1 + math.exp(-total))


def chances(model: HealthModel, many: Histories) -> Floats:
    """`chance` of many members."""
    columns = terms_many(model.ground, many)
    total = np.full(len(many), model.constant)
    for at, name in enumerate(TERMS):
        weight = model.weights.get(name)
        if weight is not None:
            total += weight.weight * (columns[:, at] - weight.mean) / weight.scale
    found: Floats = 1 / (1 + np.exp(-total))
    return found


def band(model: HealthModel, found: float) -> str:
    """The name of a chance's band."""
    low, high = model.bands
    return BANDS[(found >= low) + (found >= high)]


def health(model: HealthModel, one: History) -> Health:
    """A member's chance with its drivers."""
    drivers = []
    for name, value in zip(TERMS, terms(model.ground, one), strict=True):
        weight = model.weights.get(name)
        if weight is None:
            continue
        odds = math.exp(weight.weight * (value - weight.mean) / weight.scale)
        drivers.append(Driver(name, odds, _words(model, one, name, value)))
    drivers.sort(key=lambda driver: -abs(math.log(driver.odds)))
    found = chance(model, one)
    there = alive(model.purchases, one.repeats, one.last, one.age)
    return Health(found, band(model, found), there, tuple(drivers))


def silent_until(model: HealthModel, one: History, threshold: float) -> float | None:
    """In how many days P(alive) falls to a threshold, if nothing happens; None if it has."""
    at = alive_until(model.purchases, one.repeats, one.last, threshold)
    return at - one.age if at > one.age else None


def log_odds(found: float) -> float:
    """The logarithm of a chance's odds."""
    found = min(max(found, 1e-12), 1 - 1e-12)
    return math.log(found / (1 - found))


def always(score: int) -> HealthModel:
    """A model by which everybody who ever bought has this score, for trying things out."""
    found = log_odds(score / 100)
    none = Parameters(1.0, 1.0, 1.0, 1.0)
    return HealthModel("tried", "recency", none, 1.0, found, {}, (0.0, 1.0), {}, 0)


def to_json(model: HealthModel) -> bytes:
    """The model's file."""
    return msgspec.json.format(msgspec.json.encode(model), indent=2)


def from_json(content: bytes) -> HealthModel:
    """The model of a file.

    Raises:
        ModelError: it is none, or one of another version.
    """
    try:
        model = msgspec.json.decode(content, type=HealthModel)
    except msgspec.DecodeError as error:
        msg = f"this is no health model ({error}): fit one again"
        raise ModelError(msg) from error
    unknown = set(model.weights) - set(TERMS)
    if model.format != _FORMAT or unknown:
        msg = (
            f"a health model of format {model.format} with terms {', '.join(model.weights)}; "
            f"format {_FORMAT} knows {', '.join(TERMS)}: fit it again"
        )
        raise ModelError(msg)
    return model


def _words(model: HealthModel, one: History, name: str, value: float) -> str:
    gap = own_gap(model.ground, one)
    there = alive(model.purchases, one.repeats, one.last, one.age)
    return {
        "base": (
            f"{one.repeats + 1:.0f} days with purchases in {one.age:.0f}, "
            f"still a customer with {there:.0%}"
        ),
        "trend": f"spends lately {2.0**value:.1f} times what it did before",
        "cadence": f"silent for {one.silence / gap:.1f} times its usual gap of {gap:.0f} days",
        "recency": f"last purchase {one.silence:.0f} days ago",
        "frequency": f"came back {one.repeats:.0f} times",
        "engagement": (
            "opens and redeems what it is sent" if one.engaged > 0.5 else "opens and redeems little"
        ),
        "returns": f"gave back {one.returned:.0%} of what it spent",
    }[name]
