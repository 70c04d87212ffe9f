"""What a backtest says: accuracy of each model by span, the floor beside it, bands that held."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infra import forecast_picture
from infra.forecast_inputs import Inputs
from operators.forecast import bands
from operators.forecast.backtest import Backtest, backtest, choose
from operators.forecast.bands import LEVELS
from operators.forecast.engine import CHEAP
from operators.forecast.making import prepare, tested_columns
from operators.forecast.panel import Panel
from operators.forecast.plan import DAY, QUARTER, SPANS, in_span, measure
from operators.forecast.scores import accuracy, coverage, noise_floor
from operators.forecast.windows import Windows
from schemas.chain import Chain
from schemas.forecast_rules import Measure

Floats = NDArray[np.float64]

CHOSEN = "chosen"
# A first origin knows this many days.
_LEAST_PAST = 14
# Fewer origins cannot be split into some to learn the bands from and some to judge them on.
_LEAST_ORIGINS = 4


class Tested(NamedTuple):
    """A backtest and the panel that it is of."""

    panel: Panel
    backtest: Backtest


def tested(
    inputs: Inputs, chain: Chain, found: Windows, measure: Measure, last: date, days: int
) -> Tested:
    """Forecast each of the `days` days before `last` from the evening before.

    Raises:
        ValueError: the windows begin too late for that.
    """
    ready = prepare(found, chain, inputs.forecasts(), measure, last, 1)
    past = ready.past
    origins = [day for day in range(past.days - days, past.days) if day >= _LEAST_PAST]
    if not origins:
        msg = f"{past.days} days of windows are too few: give {_LEAST_PAST + 1} at least"
        raise ValueError(msg)
    names = [*CHEAP, *(name for name in inputs.models if name not in CHEAP)]
    columns = tested_columns(ready)
    jobs = inputs.jobs
    return Tested(past, backtest(past, ready.context.kinds, columns, names, origins, jobs=jobs))


def draw(one: Tested, store: str | None, to: Path) -> bool:
    """Draw the days of a store, or of the first; False where there is no matplotlib.

    Raises:
        ValueError: there is no such store.
    """
    stores = one.panel.stores
    if store is not None and store not in stores:
        msg = f"no windows of {store}; there are some of {', '.join(stores[:5])}"
        raise ValueError(msg)
    number = stores.index(store) if store else 0
    model = choose(one.backtest)[number].model
    return forecast_picture.draw(one.panel, one.backtest, number, model, to)


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
            known = tails[span][0]
            spread = known.spread.reshape(-1, *[1] * (mean.ndim - 1))
            for level in LEVELS:
                low, high = bands.band(mean, spread, known, level)
                held = coverage(came[there], low[there], high[there])
                inside.setdefault(f"{span} {level:.0%}", []).append(held)
    return {name: float(np.mean(held)) for name, held in inside.items()}
