"""A store's days as they were forecast and as they came, drawn by matplotlib (extra `demo`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra.figure import BLUE, INK, QUIET, empty_figure
from operators.forecast import bands
from operators.forecast.backtest import Backtest
from operators.forecast.bands import LEVELS
from operators.forecast.panel import Panel
from operators.forecast.plan import QUARTER, measure

Floats = NDArray[np.float64]

SHOWN_DAYS = 7


def draw(panel: Panel, found: Backtest, store: int, model: str, to: Path) -> bool:
    """Draw the last days of a store's backtest; False where there is no matplotlib."""
    said = found.mean(model)
    tails = measure(found, said)[QUARTER][0]
    days = range(max(0, len(found.origins) - SHOWN_DAYS), len(found.origins))
    mean = np.concatenate([said[store, day, 0] for day in days])
    came = np.concatenate([found.actual[store, day, 0] for day in days])
    seen = np.concatenate([found.exposure[store, day, 0] for day in days]) > 0
    first = panel.first + timedelta(days=found.origins[days[0]])
    start = datetime(first.year, first.month, first.day)  # noqa: DTZ001 (local time of the store)
    times: Any = [start + timedelta(minutes=15 * number) for number in range(len(mean))]
    figure = empty_figure(11.5, 4.6)
    if figure is None:
        return False
    axes = figure.add_subplot()
    spread = np.asarray(tails.spread[store])
    for level, alpha in zip(LEVELS, (0.28, 0.12), strict=True):
        low, high = bands.band(mean, spread, tails, level)
        low, high = np.where(seen, low, np.nan), np.where(seen, high, np.nan)
        axes.fill_between(
            times, low, high, color=BLUE, alpha=alpha, linewidth=0, label=f"{level:.0%}"
        )
    axes.plot(times, np.where(seen, mean, np.nan), color=BLUE, linewidth=1.4, label="forecast")
    axes.plot(times, np.where(seen, came, np.nan), ".", color=INK, markersize=2.5, label="came")
    title = f"{panel.stores[store]}: each day as forecast the evening before ({model})"
    axes.set_title(title, loc="left", color=INK, fontsize=12, fontweight="bold")
    axes.set_ylabel("in 15 minutes", color=QUIET)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, ncols=4, loc="upper right")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(to, facecolor="white")
    return True
