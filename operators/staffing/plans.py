"""The forecast of a zone's day: made once, kept as plain values, updated while the day goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from operators.footfall.facts import QUARTER_US
from operators.forecast.backtest import Backtest, Choice
from operators.forecast.bands import Tails
from operators.forecast.context import Context, Weather
from operators.forecast.making import Ready, good_of, make, prepare, told
from operators.forecast.panel import SLOTS, Panel
from operators.forecast.plan import Forecast, bands_of
from operators.forecast.rows import Rows
from operators.forecast.today import Today
from operators.forecast.windows import Windows, panel_of
from schemas.chain import Chain
from schemas.forecast_rules import Measure

Floats = NDArray[np.float64]


class PackedTails(msgspec.Struct, array_like=True):
    """Tails of one span and reach."""

    spread: list[float]
    tails: dict[float, list[float]]


class Plan(msgspec.Struct, array_like=True):
    """A forecast of the stores of a zone for `today` and the days after it."""

    zone: str
    today: date
    measure: Measure
    stores: tuple[str, ...]
    groups: tuple[str, ...]
    ahead: int
    mean: bytes
    carry: bytes
    models: list[tuple[str, str]]
    tails: dict[str, list[PackedTails]]


@dataclass(frozen=True, slots=True)
class Told:
    """A plan as it is at an instant; `days` are means of quarters by store, (ahead, 96).

    In those of today what has come stands in place of what was expected.
    """

    rows: Rows
    days: dict[str, Floats]
    today: dict[str, Today]


def make_plan(
    windows: Windows,
    chain: Chain,
    weather: Sequence[Weather],
    measure: Measure,
    zone: str,
    today: date,
) -> Plan:
    """Forecast a zone's stores; what stores share is learned from all of them.

    Raises:
        ValueError: there are no windows, or too few days of them.
    """
    ahead = chain.staffing.days
    ready = prepare(windows, chain, weather, measure, today, ahead)
    made = make(ready, ahead, chain.forecast.windows, (), scout=False, jobs=1)
    mine = [at for at, place in enumerate(ready.places) if place.zone == zone]
    if not mine:
        msg = f"no store of {zone} has windows with {measure}"
        raise ValueError(msg)
    tails = {
        span: [
            PackedTails(one.spread[mine].tolist(), {at: v.tolist() for at, v in one.tails.items()})
            for one in by_reach
        ]
        for span, by_reach in made.tails.items()
    }
    return Plan(
        zone,
        today,
        measure,
        tuple(ready.places[at].name for at in mine),
        tuple(ready.places[at].group for at in mine),
        ahead,
        made.mean[mine].tobytes(),
        made.carry[mine].tobytes(),
        [(made.choices[at].model, made.choices[at].why) for at in mine],
        tails,
    )


def forecast_of(plan: Plan) -> Forecast:
    """The forecast that a plan keeps, without the backtest behind it."""
    many = len(plan.stores)
    mean = np.frombuffer(plan.mean).reshape(many, plan.ahead, SLOTS)
    tails = {
        span: [
            Tails(np.array(one.spread), {at: np.array(v) for at, v in one.tails.items()})
            for one in by_reach
        ]
        for span, by_reach in plan.tails.items()
    }
    none = np.zeros((many, 0, SLOTS))
    return Forecast(
        panel=Panel(plan.stores, plan.groups, plan.today, none, none),
        mean=mean,
        bands=bands_of(mean, tails),
        choices=[Choice(model, why, 0, {}) for model, why in plan.models],
        carry=np.frombuffer(plan.carry),
        tails=tails,
        backtest=Backtest((), none[:, None], none[:, None], none[:, None], {}),
    )


def tell(plan: Plan, windows: Windows, chain: Chain, at: datetime) -> Told:
    """The plan at an instant: what has come of its day until then changes the rest of it."""
    context = Context(chain, plan.stores, plan.today, plan.ahead)
    panel = panel_of(windows, plan.measure, context.places, plan.today, 1, chain.forecast.masks)
    good = good_of(windows, plan.measure)
    newest = int(windows.quarter[good].max()) + 1 if good.any() else 0
    ready = Ready(panel, plan.today, context, newest * QUARTER_US)
    made = forecast_of(plan)
    rows, running = told(ready, made, plan.measure, at)
    days = {}
    today = {}
    for number, store in enumerate(plan.stores):
        mine = made.mean[number].copy()
        if number in running:
            today[store] = running[number][0]
            mine[0] = today[store].totals["quarter"]
        days[store] = mine
    return Told(rows, days, today)
