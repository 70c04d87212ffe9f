"""Day totals of many stores through StatsForecast: its models and ours behind one interface.

StatsForecast (Garza, Mergenthaler Canseco, Challu and Olivares 2022) fits each series of a panel;
a model is anything with its `forecast`. The regression here is such a model, so what is chosen
from a backtest is chosen among equals. The library is loaded when a forecast is made: it takes
seconds, which other commands do not have.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.forecast.pooled import Prior, fit_one

Floats = NDArray[np.float64]

REGRESSION = "regression"
LAST_WEEK = "last_week"
SAME_WEEKDAY = "same_weekday"
ARIMA, ETS = "arima", "ets"
# The mean of the first two: where nobody knows the weather and streets are torn up, it is hard to
# beat (combinations of forecasts: Bates and Granger 1969).
BLEND = "blend"
CHEAP = (REGRESSION, SAME_WEEKDAY, LAST_WEEK, BLEND)
DEAR = (ARIMA, ETS)
MODELS = (*CHEAP, *DEAR)
# Weeks that a mean of the same days of the week goes over.
_WEEKS = 4
# A level above which a forecast is a fault of the model, beside the largest day that was seen.
_MOST = 20.0


@dataclass(frozen=True, slots=True)
class DaySeries:
    """Day totals of stores, as they would be with everything open and observed.

    `totals` and `weight` (the share that was observed) are (stores, days); `columns` what is known
    of past and coming days, (stores, days + ahead, columns), of which the last `ramps` are those
    of the wandering level. `prior_of` tells which of `priors` is a store's.
    """

    first: date
    totals: Floats
    weight: Floats
    columns: Floats
    ramps: int
    priors: Sequence[Prior]
    prior_of: NDArray[np.intp]

    @property
    def ahead(self) -> int:
        """How many days are to be forecast."""
        return int(self.columns.shape[1] - self.totals.shape[1])

    def of(self, which: slice | NDArray[np.intp]) -> DaySeries:
        """Some of the stores."""
        return replace(
            self,
            totals=self.totals[which],
            weight=self.weight[which],
            columns=self.columns[which],
            prior_of=self.prior_of[which],
        )


class DayModel(ABC):
    """What StatsForecast asks of a model, with regressors and without intervals of its own.

    The first two columns of the regressors are the weight of the day and the number of the prior.
    """

    uses_exog = True
    prediction_intervals = None
    alias: str

    def __repr__(self) -> str:
        return self.alias

    @abstractmethod
    def mean(self, y: Floats, h: int, past: Floats | None, coming: Floats | None) -> Floats:
        """Fitted to the past days `y`, the mean of the `h` coming ones."""

    def forecast(
        self,
        y: Floats,
        h: int,
        X: Floats | None = None,
        X_future: Floats | None = None,
        level: object = None,
        fitted: bool = False,
    ) -> dict[str, Floats]:
        """Fit to the past days and say the mean of the coming ones."""
        return {"mean": self.mean(y, h, X, X_future)}


class DayRegression(DayModel):
    """The pooled Poisson regression as a model of StatsForecast."""

    def __init__(self, priors: Sequence[Prior], alias: str = REGRESSION) -> None:
        self.priors = priors
        self.alias = alias

    def new(self) -> DayRegression:
        """Another one, as StatsForecast asks for before each fit."""
        return DayRegression(self.priors, self.alias)

    def mean(self, y: Floats, h: int, past: Floats | None, coming: Floats | None) -> Floats:
        """By the regression, never above what could be."""
        assert past is not None
        assert coming is not None
        prior, weight = self.priors[int(past[0, 1])], past[:, 0].astype(np.float64)
        found = fit_one(y.astype(np.float64), past[:, 2:].astype(np.float64), weight, prior)
        most = _MOST * max(float(y.max(initial=1.0)), 1.0)
        if not (weight > 0).any():
            most = np.inf
        logs = found[0] + coming[:, 2:].astype(np.float64) @ found[1:]
        means: Floats = np.minimum(np.exp(np.clip(logs, -30, 30)), most)
        return means


class Foreign(DayModel):
    """A model of StatsForecast that is shown the regressors without those of `DayRegression`.

    With `keep` columns: those of the calendar, weather and campaigns that changed in the past.
    """

    def __init__(self, model: Any, alias: str, keep: int) -> None:
        self.model, self.alias, self.keep = model, alias, keep

    def new(self) -> Foreign:
        """Another one, as StatsForecast asks for before each fit."""
        return Foreign(self.model.new(), self.alias, self.keep)

    def mean(self, y: Floats, h: int, past: Floats | None, coming: Floats | None) -> Floats:
        """By the model, with the columns that say something of their own."""
        if not self.keep or past is None or coming is None:
            bare: Floats = self.model.forecast(y=y, h=h)["mean"]
            return bare
        past, coming = past[:, 2 : 2 + self.keep], coming[:, 2 : 2 + self.keep]
        useful = _independent(past)
        found = self.model.forecast(y=y, h=h, X=past[:, useful], X_future=coming[:, useful])
        means: Floats = np.maximum(found["mean"], 0.0)
        return means


def _independent(columns: Floats) -> list[int]:
    """Columns that say something of their own: the others would make a fit fail."""
    base = np.ones((len(columns), 1))
    kept: list[int] = []
    for at in range(columns.shape[1]):
        one = columns[:, at : at + 1]
        rest = one - base @ np.linalg.lstsq(base, one, rcond=None)[0]
        if float(np.sum(rest**2)) > 0.5:
            kept.append(at)
            base = np.concatenate([base, one], axis=1)
    return kept


def models(names: Sequence[str], series: DaySeries) -> list[Any]:
    """The models of these names.

    Raises:
        ValueError: there is none of that name.
    """
    from statsforecast import models as found  # noqa: PLC0415

    keep = series.columns.shape[-1] - series.ramps
    made: dict[str, Any] = {}
    for name in names:
        if name == REGRESSION:
            made[name] = DayRegression(series.priors)
        elif name == LAST_WEEK:
            made[name] = found.SeasonalNaive(7, alias=name)
        elif name == SAME_WEEKDAY:
            made[name] = found.SeasonalWindowAverage(7, _WEEKS, alias=name)
        elif name == ARIMA:
            arima = found.ARIMA(order=(1, 0, 0), seasonal_order=(1, 0, 0), season_length=7)
            made[name] = Foreign(arima, name, keep)
        elif name == ETS:
            made[name] = Foreign(found.AutoETS(season_length=7), name, 0)
        else:
            msg = f"there is no model {name!r}: take some of {', '.join(MODELS)}"
            raise ValueError(msg)
    return list(made.values())


def forecast(series: DaySeries, names: Sequence[str], *, jobs: int = 1) -> dict[str, Floats]:
    """Totals of the coming days by each of the models, (stores, ahead)."""
    import pandas as pd  # noqa: PLC0415
    from statsforecast import StatsForecast  # noqa: PLC0415

    stores, days = series.totals.shape
    ahead, width = series.ahead, series.columns.shape[-1]
    titles = ["weight", "prior", *(f"x{number}" for number in range(width))]

    def frame(first: int, count: int, weight: Floats) -> pd.DataFrame:
        when = np.datetime64(series.first, "D") + np.arange(first, first + count)
        values = np.empty((stores, count, width + 2))
        values[..., 0] = weight
        values[..., 1] = series.prior_of[:, None]
        values[..., 2:] = series.columns[:, first : first + count]
        made = pd.DataFrame(values.reshape(-1, width + 2), columns=titles)
        made.insert(0, "ds", np.tile(when.astype("datetime64[ns]"), stores))
        made.insert(0, "unique_id", np.repeat(np.arange(stores), count))
        return made

    fitted = [name for name in names if name != BLEND]
    if BLEND in names:
        fitted += [name for name in (REGRESSION, SAME_WEEKDAY) if name not in fitted]
    past = frame(0, days, series.weight)
    past.insert(2, "y", _filled(series).reshape(-1))
    coming = frame(days, ahead, np.ones((stores, ahead)))
    engine = StatsForecast(
        models=models(fitted, series),
        freq="D",
        n_jobs=jobs,
        fallback_model=Foreign(_Mean(), "mean", 0),
    )
    found = engine.forecast(df=past, h=ahead, X_df=coming)
    said = {
        name: np.nan_to_num(np.maximum(found[name].to_numpy(), 0), nan=0.0).reshape(stores, ahead)
        for name in fitted
    }
    if BLEND in names:
        said[BLEND] = (said[REGRESSION] + said[SAME_WEEKDAY]) / 2
    return {name: said[name] for name in names}


class _Mean:
    """The mean of the past: where a model fails for a store, that is still a forecast."""

    def new(self) -> _Mean:
        return self

    def forecast(self, y: Floats, h: int) -> dict[str, Floats]:
        return {"mean": np.full(h, float(y.mean()) if len(y) else 0.0)}


def _filled(series: DaySeries) -> Floats:
    """Totals in which days that teach nothing look like the store's other days of their weekday.

    The regression gives such days no weight; models that know no weights need a number.
    """
    totals = np.where(series.weight > 0, series.totals, np.nan)
    filled = totals.copy()
    days = totals.shape[1]
    weekday = (np.arange(days) + series.first.weekday()) % 7
    for store in np.flatnonzero(np.isnan(totals).any(axis=1)):
        row = totals[store]
        usual = float(np.nanmedian(row)) if not np.isnan(row).all() else 0.0
        for day in np.flatnonzero(np.isnan(row)):
            alike = row[(weekday == weekday[day]) & ~np.isnan(row)]
            filled[store, day] = float(np.median(alike)) if len(alike) else usual
    return filled
