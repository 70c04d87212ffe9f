"""Rolling origins: what each model would have said, day after day, and which one to believe.

Every origin sees only what was known then: counts before it, shapes and coefficients learned from
those, weather as it was forecast (Tashman 2000, International Journal of Forecasting 16).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.forecast.days import DayKind
from operators.forecast.engine import CHEAP, REGRESSION
from operators.forecast.origin import LEAST_SHARE, Columns, Origin, forecast_from
from operators.forecast.panel import Panel
from operators.forecast.scores import accuracy

Floats = NDArray[np.float64]

# Days of its own a store needs before a backtest can say anything about it.
LEAST_DAYS = 4
# Another model is taken when it is better by so many standard errors: fewer would be luck.
_SURE = 2.0
# A dear model is tried on so many stores first, and fitted to all where it gains this much.
SCOUTED, _GAIN = 24, 0.003


@dataclass(frozen=True, slots=True)
class Backtest:
    """What was said and what came.

    `actual`, `exposure` and `rates` are (stores, origins, ahead, 96), zero where nothing was
    observed; `days` has each model's totals, (stores, origins, ahead).
    """

    origins: tuple[int, ...]
    actual: Floats
    exposure: Floats
    rates: Floats
    days: dict[str, Floats]

    def mean(self, model: str) -> Floats:
        """What the model said of every quarter that was observed."""
        return np.asarray(self.days[model][..., None] * self.rates * self.exposure)

    def judged(self) -> NDArray[np.bool_]:
        """Days of which enough was observed, (stores, origins, ahead)."""
        return np.asarray((self.rates * self.exposure).sum(axis=-1) >= LEAST_SHARE)

    def totals(self, model: str) -> tuple[Floats, Floats]:
        """What came and what was said of each judged day, NaN elsewhere, (stores, days)."""
        judged = self.judged()
        share = (self.rates * self.exposure).sum(axis=-1)
        came = np.where(judged, self.actual.sum(axis=-1), np.nan)
        said = np.where(judged, self.days[model] * share, np.nan)
        return came.reshape(len(came), -1), said.reshape(len(said), -1)


@dataclass(frozen=True, slots=True)
class Choice:
    """The model of a store and why; `tried` has the accuracy of each model over `days` days."""

    model: str
    why: str
    days: int
    tried: dict[str, float]


def backtest(
    panel: Panel,
    kinds: Sequence[DayKind],
    columns: Columns,
    models: Sequence[str],
    origins: Sequence[int],
    *,
    jobs: int = 1,
    only: NDArray[np.intp] | None = None,
) -> Backtest:
    """Forecast from each origin what came after it; for `only` some of the stores where given."""
    which = slice(None) if only is None else only
    ahead = 0
    parts: list[Origin] = []
    actual, exposure = [], []
    for origin in origins:
        part = forecast_from(panel.until(origin), kinds, columns, models, jobs=jobs, only=only)
        ahead = part.rates.shape[1]
        days = slice(origin, origin + ahead)
        actual.append(_padded(panel.counts[which, days], ahead))
        exposure.append(_padded(panel.exposure[which, days], ahead))
        parts.append(part)
    return Backtest(
        origins=tuple(origins),
        actual=np.stack(actual, axis=1),
        exposure=np.stack(exposure, axis=1),
        rates=np.stack([part.rates for part in parts], axis=1),
        days={name: np.stack([part.days[name] for part in parts], axis=1) for name in models},
    )


def _padded(values: Floats, days: int) -> Floats:
    """As many days; those that have not come yet are not observed."""
    missing = days - values.shape[1]
    return np.pad(values, ((0, 0), (0, missing), (0, 0))) if missing else values


def scout(
    panel: Panel,
    kinds: Sequence[DayKind],
    columns: Columns,
    dear: Sequence[str],
    origins: Sequence[int],
    *,
    jobs: int = 1,
) -> dict[str, float]:
    """What dear models gain over the best cheap one, in accuracy of days, on some stores.

    What is learned from all stores is learned from all of them here too, so the cheap models are
    not judged by less than they have.
    """
    some = np.unique(np.linspace(0, len(panel.stores) - 1, SCOUTED).astype(int))
    found = backtest(panel, kinds, columns, [*CHEAP, *dear], origins, jobs=jobs, only=some)
    good = {}
    for name in found.days:
        came, said = found.totals(name)
        there = ~np.isnan(came)
        good[name] = accuracy(came[there], said[there])
    best = max(good[name] for name in CHEAP)
    return {name: good[name] - best for name in dear}


def of_all(said: dict[str, tuple[Floats, Floats]]) -> str:
    """The model for all stores: the regression, unless another was better day after day.

    A day is one observation, however many stores it has: they share its weather. The best of the
    others has to beat the regression by a standard error of these daily differences.
    """
    first = REGRESSION if REGRESSION in said else next(iter(said))
    off = {name: np.nansum(np.abs(told - came), axis=0) for name, (came, told) in said.items()}
    days = len(off[first])
    best, gain = first, 0.0
    for name, errors in off.items():
        better = off[first] - errors
        sure = float(better.mean()) - float(better.std(ddof=1) if days > 1 else 0) / np.sqrt(days)
        if days >= LEAST_DAYS and sure > gain:
            best, gain = name, sure
    return best


def choose(found: Backtest) -> list[Choice]:
    """A model for every store: that of all of them, unless another one is surely better there."""
    said = {name: found.totals(name) for name in found.days}
    first = of_all(said)
    choices = []
    for store in range(len(found.actual)):
        came = said[first][0][store]
        there = ~np.isnan(came)
        days = int(there.sum())
        if days < LEAST_DAYS:
            why = f"{first}: only {days} days to test on; it borrows most from other stores"
            choices.append(Choice(first, why, days, {}))
            continue
        came = came[there]
        mine = {name: one[1][store][there] for name, one in said.items()}
        tried = {name: accuracy(came, one) for name, one in mine.items()}
        best, gain = first, 0.0
        for name, one in mine.items():
            better = np.abs(mine[first] - came) - np.abs(one - came)
            sure = float(better.mean()) - _SURE * float(better.std(ddof=1)) / np.sqrt(days)
            if sure > gain:
                best, gain = name, sure
        others = ", ".join(f"{name} {tried[name]:.1%}" for name in tried if name != best)
        why = f"{best}: {tried[best]:.1%} of {days} days in the backtest"
        why += f", beside {others}" if others else ""
        choices.append(Choice(best, why, days, tried))
    return choices


def worth_it(gains: dict[str, float]) -> list[str]:
    """The dear models that gain enough to be fitted to every store."""
    return [name for name, gain in gains.items() if gain >= _GAIN]
