"""The forecast of a panel: backtest, choice, mean and bands of quarters, hours and days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.forecast import bands, intraday
from operators.forecast.backtest import Backtest, Choice, backtest, choose, scout, worth_it
from operators.forecast.bands import LEVELS, Tails
from operators.forecast.days import DayKind
from operators.forecast.engine import CHEAP, DEAR
from operators.forecast.origin import Columns, Origin, Outlook, forecast_from
from operators.forecast.panel import Panel, hours
from operators.forecast.similar import names

Floats = NDArray[np.float64]

QUARTER, HOUR, DAY = "quarter", "hour", "day"
SPANS = (QUARTER, HOUR, DAY)
# A store that has less cannot be tested: its first origin would know nothing.
_LEAST_PAST = 14


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is tried. `windows` origins, the last of them as near as can be judged."""

    ahead: int = 1
    windows: int = 8
    models: tuple[str, ...] = CHEAP
    jobs: int = 1
    scouting: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of the days after the panel's last.

    `mean` is (stores, ahead, 96), for a quarter with the exposure it will have; `bands` has
    (low, high) by span and level, (stores, ahead, 96 or 24), (stores, ahead) for days. `carry` is
    how much of a day's luck its halves share, by store, and `tails` make bands of other means.
    """

    panel: Panel
    mean: Floats
    bands: dict[tuple[str, float], tuple[Floats, Floats]]
    choices: list[Choice]
    carry: Floats
    tails: dict[str, Tails]
    backtest: Backtest


def origins_of(days: int, settings: Settings) -> list[int]:
    """Where the backtest forecasts from: every day, back from the last that can be judged."""
    last = days - settings.ahead
    step = max(1, settings.ahead // 2)
    found = [last - step * number for number in range(settings.windows)]
    return sorted(origin for origin in found if origin >= _LEAST_PAST)


def forecast(
    panel: Panel,
    kinds: Sequence[DayKind],
    outlook: Outlook,
    open_ahead: Floats,
    settings: Settings,
) -> Forecast:
    """Forecast the days after the panel's last.

    `kinds` and `outlook` cover the panel's days and those ahead; `open_ahead` says how many
    quarters of real time are open in each slot to come, (stores, ahead, 96).

    Raises:
        ValueError: the panel is too short to be tested on.
    """
    columns = Columns(outlook, panel.days + settings.ahead, settings.ahead)
    origins = origins_of(panel.days, settings)
    if not origins:
        msg = (
            f"{panel.days} days of history are too few to test a forecast of {settings.ahead} "
            f"days on: give {_LEAST_PAST + settings.ahead} at least"
        )
        raise ValueError(msg)
    models, jobs = list(settings.models), settings.jobs
    if settings.scouting:
        dear = [name for name in DEAR if name not in models]
        models += worth_it(scout(panel, kinds, columns, dear, origins[-2:], jobs=jobs))
    tested = backtest(panel, kinds, columns, models, origins, jobs=jobs)
    choices = choose(tested)
    coming = forecast_from(panel, kinds, columns, models, jobs=jobs)
    choices = _with_likes(panel, coming, choices)
    mean = np.stack([coming.days[one.model][store] for store, one in enumerate(choices)])[
        ..., None
    ] * (coming.rates * open_ahead)
    means = {name: tested.mean(name) for name in {one.model for one in choices}}
    said = np.stack([means[one.model][store] for store, one in enumerate(choices)])
    tails = measure(tested, said)
    return Forecast(
        panel=panel,
        mean=mean,
        bands=bands_of(mean, tails),
        choices=choices,
        carry=intraday.carry(tested.actual[:, :, 0], said[:, :, 0], tested.exposure[:, :, 0]),
        tails=tails,
        backtest=tested,
    )


def measure(tested: Backtest, said: Floats) -> dict[str, Tails]:
    """The tails of quarters, hours and days, from what was said and what came."""
    stores = len(said)
    judged = tested.judged()
    whole = tested.exposure > 0
    found = {}
    for span in SPANS:
        actual, mean = in_span(tested.actual, span), in_span(said, span)
        if span == DAY:
            there = judged
        else:
            there = np.broadcast_to(judged[..., None], mean.shape)
            if span == QUARTER:
                there = there & whole
        found[span] = bands.measure(
            actual.reshape(stores, -1), mean.reshape(stores, -1), there.reshape(stores, -1)
        )
    return found


def in_span(values: Floats, span: str) -> Floats:
    """Quarters summed to the span, along the last axis; a day loses that axis."""
    if span == QUARTER:
        return values
    return hours(values) if span == HOUR else np.asarray(values.sum(axis=-1))


def bands_of(
    mean: Floats, tails: dict[str, Tails]
) -> dict[tuple[str, float], tuple[Floats, Floats]]:
    """Bands of every span and level around means of quarters (stores, ahead, 96)."""
    found = {}
    for span in SPANS:
        wanted = in_span(mean, span)
        spread = tails[span].spread.reshape(-1, *[1] * (wanted.ndim - 1))
        for level in LEVELS:
            found[span, level] = bands.band(wanted, spread, tails[span], level)
    return found


def _with_likes(panel: Panel, coming: Origin, choices: list[Choice]) -> list[Choice]:
    """New stores' choices say whom they borrow from."""
    told = list(choices)
    for one in coming.likes:
        days = int((panel.exposure[one.store].sum(axis=-1) > 0).sum())
        model, tried = choices[one.store].model, choices[one.store].tried
        likes = ", ".join(names(panel, one))
        why = f"{model}: {days} days of its own, shape and effects borrowed from {likes} and others"
        if tried:
            why += f"; {tried[model]:.1%} of {choices[one.store].days} days in the backtest"
        told[one.store] = Choice(model, why, choices[one.store].days, tried)
    return told
