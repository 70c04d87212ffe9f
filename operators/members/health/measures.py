"""How good chances are: log loss, Brier score, AUC and calibration, on what came of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# A chance of nothing that then comes true would be an infinite loss.
LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Measured:
    """Loss in nats, mean squared error, chance that a buyer is ranked above another; of n."""

    log_loss: float
    brier: float
    auc: float
    n: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Members of similar chances: how many, the mean chance, the share that bought."""

    n: int
    chance: float
    bought: float


def losses(chances: Floats, came: Floats) -> Floats:
    """The logarithmic loss of each."""
    safe = np.clip(chances, LEAST, 1 - LEAST)
    found: Floats = -(came * np.log(safe) + (1 - came) * np.log1p(-safe))
    return found


def measured(chances: Floats, came: Floats) -> Measured:
    """All figures; the AUC is one half where all or none bought."""
    buyers = float(came.sum())
    others = len(came) - buyers
    auc = 0.5
    if buyers and others:
        from scipy.stats import rankdata  # noqa: PLC0415 (slow to import)

        ranks = float(rankdata(chances)[came > 0].sum())
        auc = (ranks - buyers * (buyers + 1) / 2) / (buyers * others)
    return Measured(
        float(losses(chances, came).mean()),
        float(((chances - came) ** 2).mean()),
        auc,
        len(came),
    )


def calibration(chances: Floats, came: Floats, bins: int = 10) -> list[Bin]:
    """By parts of equal size, lowest chances first."""
    order = np.argsort(chances, kind="stable")
    return [
        Bin(len(part), float(chances[part].mean()), float(came[part].mean()))
        for part in np.array_split(order, bins)
        if len(part)
    ]


def calibration_error(chances: Floats, came: Floats, bins: int = 10) -> float:
    """The mean distance of chance and share over the parts."""
    parts = calibration(chances, came, bins)
    return sum(one.n * abs(one.chance - one.bought) for one in parts) / len(chances)
