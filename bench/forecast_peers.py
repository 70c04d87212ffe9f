"""Peers of the forecast: each says a day's quarters from what was known the evening before.

LightGBM comes from `requirements/bench.in`: it is no dependency of tillflow.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from statsforecast.models import MFLES, MSTL

from operators.forecast.features import matrix
from operators.forecast.origin import Outlook
from operators.forecast.panel import SLOTS, Panel

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Task:
    """Forecast day `day` of the panel, of which only earlier days may be looked at."""

    panel: Panel
    outlook: Outlook
    is_open: Floats
    day: int

    @property
    def seen(self) -> Floats:
        """Counts before the day, NaN where nothing was observed."""
        past = slice(0, self.day)
        counts, exposure = self.panel.counts[:, past], self.panel.exposure[:, past]
        return np.where(exposure > 0, counts / np.maximum(exposure, 1), np.nan)

    @property
    def open_now(self) -> Floats:
        """Quarters open on the day."""
        return self.is_open[:, self.day]


def last_week(task: Task) -> Floats:
    """The same quarter a week ago; where it was not seen, two weeks ago, and so on."""
    found = np.full((len(task.panel.stores), SLOTS), np.nan)
    for week in range(1, task.day // 7 + 1):
        found = np.where(np.isnan(found), task.seen[:, task.day - 7 * week], found)
    return np.asarray(np.nan_to_num(found) * task.open_now)


def four_weeks(task: Task) -> Floats:
    """The mean of the same quarter of the last four same days of the week."""
    weeks = [task.seen[:, task.day - 7 * week] for week in range(1, 5)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nan_to_num(np.nanmean(weeks, axis=0)) * task.open_now)


def raw(task: Task, name: str, stores: list[int]) -> Floats:
    """MSTL or MFLES of StatsForecast on the counts of quarters themselves."""
    found = np.zeros((len(task.panel.stores), SLOTS))
    for store in stores:
        series = task.seen[store].reshape(-1)
        first = int(np.argmax(~np.isnan(series)))
        series = np.nan_to_num(series[first - first % SLOTS :])
        seasons: list[int] = [SLOTS, 7 * SLOTS]
        model: Any = MSTL(seasons) if name == "mstl" else MFLES(season_length=seasons)
        said = model.forecast(y=series.astype(np.float64), h=SLOTS)["mean"]
        found[store] = np.maximum(said, 0) * task.open_now[store]
    return found


def table(task: Task, day: int) -> tuple[Floats, Floats]:
    """Rows of (store, quarter) for a day: what global models know, and the size of each store."""
    seen = task.seen[:, :day]
    stores = len(seen)
    known = matrix(task.outlook(day, day + 1, 1))[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        size = np.nan_to_num(np.nanmean(np.nansum(seen[:, -28:], axis=2), axis=1)) + 1
        week = seen[:, -7]
        month = np.nanmean([seen[:, -7 * back] for back in range(1, 5)], axis=0)
        whole = np.nanmean(seen[:, -28:], axis=1)
        level = np.nansum(seen[:, -7:], axis=(1, 2)) / 7 / size
    lags = np.stack([week, month, whole], axis=2) / size[:, None, None] * SLOTS
    wide = np.concatenate([known, level[:, None], np.log(size)[:, None]], axis=1)
    groups = np.unique(np.array(task.panel.groups))
    one_hot = np.array(task.panel.groups)[:, None] == groups
    wide = np.concatenate([wide, one_hot], axis=1)
    slot = np.arange(SLOTS) / SLOTS
    time = np.stack([slot, np.sin(2 * np.pi * slot), np.cos(2 * np.pi * slot)], axis=1)
    columns = [
        np.nan_to_num(lags),
        np.broadcast_to(time, (stores, SLOTS, 3)),
        np.broadcast_to(wide[:, None], (stores, SLOTS, wide.shape[1])),
        np.broadcast_to(np.arange(stores)[:, None, None], (stores, SLOTS, 1)),
    ]
    return np.concatenate(columns, axis=2), size / SLOTS


class LightGbm:
    """One LightGBM for all stores, Poisson loss, lags and everything known ahead as features.

    It is trained once, before the first day that is judged; later days get fresh lags.
    """

    def __init__(self, rounds: int = 400) -> None:
        self.rounds = rounds
        self._booster: Any = None

    def __call__(self, task: Task) -> Floats:
        """Train where that has not been done yet, and say the day."""
        if self._booster is None:
            self._booster = self._trained(task)
        made, size = table(task, task.day)
        said = np.asarray(self._booster.predict(made.reshape(-1, made.shape[2])))
        return np.asarray(said.reshape(len(size), SLOTS) * size[:, None] * task.open_now)

    def _trained(self, task: Task) -> Any:
        # From requirements/bench.in: whoever wants the other peers only need not have it.
        import lightgbm  # noqa: PLC0415

        rows, target, scale = [], [], []
        for day in range(28, task.day):
            made, size = table(task, day)
            there = ~np.isnan(task.seen[:, day])
            there &= task.is_open[:, day] > 0
            rows.append(made[there])
            target.append(task.seen[:, day][there])
            scale.append(np.broadcast_to(size[:, None], there.shape)[there])
        sizes = np.concatenate(scale)
        features = np.concatenate(rows)
        data = lightgbm.Dataset(
            features,
            np.concatenate(target) / sizes,
            weight=sizes,
            categorical_feature=[features.shape[1] - 1],
        )
        options = {
            "objective": "poisson",
            "learning_rate": 0.05,
            "num_leaves": 63,
            "min_data_in_leaf": 100,
            "num_threads": 2,
            "verbose": -1,
            "seed": 1,
        }
        return lightgbm.train(options, data, self.rounds)
