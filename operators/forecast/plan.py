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
# Days ahead from which bands are measured apart: the next day, two more, and those after.
REACHES = (0, 1, 3)


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
    how much of a day's luck its halves share, by store, and `tails` (by span and reach) make
    bands of other means.
    """

    panel: Panel
    mean: Floats
    bands: dict[tuple[str, float], tuple[Floats, Floats]]
    choices: list[Choice]
    carry: Floats
    tails: dict[str, list[Tails]]
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


def reach(ahead: int) -> int:
    """Which bands a day ahead has (0: the first): what is farther off is less sure."""
    return int(np.searchsorted(REACHES, ahead, side="right")) - 1


def measure(tested: Backtest, said: Floats) -> dict[str, list[Tails]]:
    """The tails of quarters, hours and days by reach, from what was said and what came."""
    days = said.shape[2]
    found: dict[str, list[Tails]] = {span: [] for span in SPANS}
    for number in range(reach(days - 1) + 1):
        mine = [ahead for ahead in range(days) if reach(ahead) == number]
        judged = tested.judged()[:, :, mine]
        for span in SPANS:
            actual = in_span(tested.actual[:, :, mine], span)
            mean = in_span(said[:, :, mine], span)
            there = judged if span == DAY else np.broadcast_to(judged[..., None], mean.shape)
            if span == QUARTER:
                there = there & (tested.exposure[:, :, mine] > 0)
            flat = (len(said), -1)
            tails = bands.measure(actual.reshape(flat), mean.reshape(flat), there.reshape(flat))
            found[span].append(tails)
    return found


def in_span(values: Floats, span: str) -> Floats:
    """Quarters summed to the span, along the last axis; a day loses that axis."""
    if span == QUARTER:
        return values
    return hours(values) if span == HOUR else np.asarray(values.sum(axis=-1))


def bands_of(
    mean: Floats, tails: dict[str, list[Tails]]
) -> dict[tuple[str, float], tuple[Floats, Floats]]:
    """Bands of every span and level around means of quarters (stores, ahead, 96)."""
    found = {}
    for span in SPANS:
        wanted = in_span(mean, span)
        for level in LEVELS:
            days = []
            for ahead in range(mean.shape[1]):
                mine = tails[span][reach(ahead)]
                day = wanted[:, ahead]
                spread = mine.spread.reshape(-1, *[1] * (day.ndim - 1))
                days.append(bands.band(day, spread, mine, level))
            low, high = zip(*days, strict=True)
            found[span, level] = np.stack(low, axis=1), np.stack(high, axis=1)
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
