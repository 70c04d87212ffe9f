"""What a backtest says: accuracy of each model by span, the floor beside it, bands that held."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.forecast import bands
from operators.forecast.backtest import Backtest, choose
from operators.forecast.bands import LEVELS
from operators.forecast.plan import DAY, QUARTER, SPANS, in_span, measure
from operators.forecast.scores import accuracy, coverage, noise_floor

Floats = NDArray[np.float64]

CHOSEN = "chosen"
# Fewer origins cannot be split into some to learn the bands from and some to judge them on.
_LEAST_ORIGINS = 4


def summary(found: Backtest) -> dict[str, Any]:
    """Accuracy by model and span, choices, and coverage, each band judged on days it never saw."""
    choices = choose(found)
    means = {name: found.mean(name) for name in found.days}
    picked = np.stack([means[one.model][store] for store, one in enumerate(choices)])
    judged = found.judged()
    actual = np.where(judged[..., None], found.actual, 0)
    scores = {
        name: {
            span: accuracy(in_span(actual, span), in_span(_at(mean, judged), span))
            for span in SPANS
        }
        for name, mean in {**means, CHOSEN: picked}.items()
    }
    said = _at(picked, judged)
    floor = {span: noise_floor(in_span(said, span)) for span in SPANS}
    return {
        "stores": len(choices),
        "days": len(found.origins),
        "accuracy": scores,
        "floor": floor,
        "held": _held(found, picked),
        "chosen": dict(Counter(one.model for one in choices)),
    }


def _at(mean: Floats, judged: NDArray[np.bool_]) -> Floats:
    return np.where(judged[..., None], mean, 0.0)


def _held(found: Backtest, said: Floats) -> dict[str, float]:
    """Bands learned from the even origins and judged on the odd ones, and the other way round."""
    count = len(found.origins)
    if count < _LEAST_ORIGINS:
        return {}
    inside: dict[str, list[float]] = {}
    for parity in range(2):
        learn, judge = np.arange(count) % 2 == parity, np.arange(count) % 2 != parity
        part = Backtest(
            tuple(np.array(found.origins)[learn]),
            found.actual[:, learn],
            found.exposure[:, learn],
            found.rates[:, learn],
            {name: one[:, learn] for name, one in found.days.items()},
        )
        tails = measure(part, said[:, learn])
        good, seen = found.judged()[:, judge], found.exposure[:, judge] > 0
        for span in SPANS:
            came, mean = in_span(found.actual[:, judge], span), in_span(said[:, judge], span)
            there = good if span == DAY else good[..., None] & (mean > 0)
            there = there & seen if span == QUARTER else there
            spread = tails[span].spread.reshape(-1, *[1] * (mean.ndim - 1))
            for level in LEVELS:
                low, high = bands.band(mean, spread, tails[span], level)
                held = coverage(came[there], low[there], high[there])
                inside.setdefault(f"{span} {level:.0%}", []).append(held)
    return {name: float(np.mean(held)) for name, held in inside.items()}
