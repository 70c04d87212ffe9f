"""Whole forecasts of simulated shops whose intensity is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from operators.forecast.backtest import Backtest, choose, of_all, worth_it
from operators.forecast.bands import LEVELS
from operators.forecast.engine import BLEND, LAST_WEEK, REGRESSION, SAME_WEEKDAY, models
from operators.forecast.panel import SLOTS, Panel
from operators.forecast.plan import DAY, HOUR, QUARTER, Forecast, Settings, forecast, in_span
from operators.forecast.rows import Stamp, rows_of
from operators.forecast.scores import accuracy
from operators.forecast.today import running
from operators.forecast.windows import Place
from schemas.forecast_tables import FORECAST_15M, FORECAST_SPAN
from schemas.instants import to_datetime
from sources.simulator.crowds import Crowds, CrowdSettings, draw

DAYS, AHEAD = 63, 2
SETTINGS = Settings(ahead=AHEAD, windows=4)


@pytest.fixture(scope="module")
def crowds() -> Crowds:
    return draw(CrowdSettings(stores=24, days=DAYS + AHEAD, first=date(2026, 3, 2), shock=0.06))


def made_of(crowds: Crowds, panel: Panel) -> Forecast:
    is_open = crowds.is_open[:, DAYS : DAYS + AHEAD]
    return forecast(panel, crowds.kinds, crowds.known, is_open, SETTINGS)


@pytest.fixture(scope="module")
def made(crowds: Crowds) -> Forecast:
    return made_of(crowds, crowds.entries.until(DAYS))


def test_it_is_near_the_floor_and_far_from_naive(crowds: Crowds, made: Forecast) -> None:
    tested = made.backtest
    came = in_span(tested.actual, HOUR)
    good = {name: accuracy(came, in_span(tested.mean(name), HOUR)) for name in tested.days}
    days = [slice(origin, origin + AHEAD) for origin in tested.origins]
    true = np.stack([crowds.intensity[:, one] for one in days], axis=1) * (tested.exposure > 0)
    floor = accuracy(came, in_span(true, HOUR))
    assert good[REGRESSION] > max(good[LAST_WEEK], good[SAME_WEEKDAY]) + 0.03
    assert good[REGRESSION] > floor - 0.06  # a day's own luck, 6%, is above the floor


def test_masked_windows_change_nothing_at_all(crowds: Crowds, made: Forecast) -> None:
    panel = crowds.entries.until(DAYS)
    spoiled = np.where(panel.exposure > 0, panel.counts, 12_345.0)
    again = made_of(crowds, replace(panel, counts=spoiled))
    assert np.array_equal(again.mean, made.mean)
    assert again.choices == made.choices


def test_nothing_after_the_origin_is_used(crowds: Crowds, made: Forecast) -> None:
    """What comes later may be anything: the panel ends, and the backtest's origins do."""
    origin = made.backtest.origins[0]
    panel = crowds.entries.until(DAYS)
    counts = panel.counts.copy()
    counts[:, origin:] *= 3
    again = made_of(crowds, replace(panel, counts=counts))
    first = (slice(None), 0)
    assert np.array_equal(
        again.backtest.days[REGRESSION][first], made.backtest.days[REGRESSION][first]
    )


def test_a_new_store_gets_a_forecast_from_its_likes(crowds: Crowds) -> None:
    panel = crowds.entries.until(DAYS)
    exposure = panel.exposure.copy()
    exposure[0, :-6] = 0
    made = made_of(crowds, Panel(panel.stores, panel.groups, panel.first, panel.counts, exposure))
    true = crowds.intensity[0, DAYS : DAYS + AHEAD]
    assert accuracy(in_span(true, HOUR), in_span(made.mean[0], HOUR)) > 0.8
    why = made.choices[0].why
    assert why.startswith("regression: 6 days of its own")
    assert "borrowed from S0" in why


def test_every_span_has_its_bands_in_order(made: Forecast) -> None:
    for span in (QUARTER, HOUR, DAY):
        mean = in_span(made.mean, span)
        (low, high), (low_wide, high_wide) = (made.bands[span, level] for level in LEVELS)
        assert low.shape == mean.shape
        there = mean > 1
        assert (low_wide <= low)[there].all()
        assert (low <= mean)[there].all()
        assert (mean <= high)[there].all()
        assert (high <= high_wide)[there].all()


def test_a_day_band_is_no_sum_of_bands(made: Forecast) -> None:
    """Noise of quarters cancels out over a day; a day's own luck, 6% here, does not."""
    quarters = made.bands[QUARTER, 0.8]
    width = (quarters[1] - quarters[0]).sum(axis=-1)
    low, high = made.bands[DAY, 0.8]
    assert (high - low < 0.75 * width).all()
    luck = 1.28 * 0.06 * in_span(made.mean, DAY)
    assert ((high - low) / 2 > luck).mean() > 0.9


def test_a_strong_morning_carries_on_and_less_stays_unsure(made: Forecast) -> None:
    mean = made.mean[0, 0]
    now = 60
    usual = running(made, 0, mean, np.ones(SLOTS), now)
    assert usual.update.factor == pytest.approx(1)
    strong = running(made, 0, 1.3 * mean, np.ones(SLOTS), now)
    assert 1.05 < strong.update.factor < 1.3
    assert strong.mean[now:] == pytest.approx(mean[now:] * strong.update.factor)
    assert np.array_equal(strong.mean[:now], mean[:now])
    low, high = made.bands[DAY, 0.8]
    later_low, later_high = usual.bands[DAY, 0.8]
    assert later_high - later_low < high[0, 0] - low[0, 0]
    # A dead sensor is no weak start.
    dead = running(made, 0, np.zeros(SLOTS), np.zeros(SLOTS), now)
    assert dead.update.factor == 1


def test_the_rest_of_days_gets_nearer_when_their_beginning_is_known(
    crowds: Crowds, made: Forecast
) -> None:
    """Over all shops of one day: days have luck of their own here, 6% of it."""
    came, true = crowds.entries.counts[:, DAYS], crowds.intensity[:, DAYS]
    seen = crowds.entries.exposure[:, DAYS]
    after = np.stack([running(made, at, came[at], seen[at], 64).mean for at in range(24)])
    rest = np.arange(SLOTS) >= 64
    before = np.abs(made.mean[:, 0] - true)[:, rest].sum(axis=1)
    now = np.abs(after - true)[:, rest].sum(axis=1)
    assert now.sum() < before.sum()


def test_rows_are_those_of_the_tables(made: Forecast) -> None:
    places = [Place(name, "Asia/Shanghai", "", None) for name in made.panel.stores]
    rows = rows_of(made, "entries", places, Stamp(0, 0))
    assert all(len(row) == len(FORECAST_15M.columns) for row in rows.quarters)
    assert all(len(row) == len(FORECAST_SPAN.columns) for row in rows.spans)
    total = sum(row[FORECAST_15M.names.index("mean")] for row in rows.quarters)
    assert total == pytest.approx(made.mean.sum())
    days = [row for row in rows.spans if row[2] == "day"]
    assert len(days) == 24 * AHEAD
    local = rows.quarters[0][FORECAST_15M.names.index("local_start")]
    assert local.startswith("2026-05-04T")
    assert to_datetime(rows.quarters[0][2]).isoformat() < local


def simple_backtest(errors: dict[str, list[float]]) -> Backtest:
    """One store whose days have 100 people; each model is off by so many."""
    count = len(next(iter(errors.values())))
    rates = np.full((1, count, 1, SLOTS), 1 / SLOTS)
    actual = np.full_like(rates, 100 / SLOTS)
    days = {name: np.array(off).reshape(1, count, 1) + 100 for name, off in errors.items()}
    return Backtest(tuple(range(count)), actual, np.ones_like(rates), rates, days)


def test_the_model_of_all_stores_is_the_one_that_was_better_day_after_day() -> None:
    came = np.full((3, 6), 100.0)
    worse, better = came + 9, came + np.array([1.0, -2, 1, 2, -1, 1])
    assert of_all({REGRESSION: (came, worse), BLEND: (came, better)}) == BLEND
    # One bad day of three stores is one bad day.
    unlucky = came.copy()
    unlucky[:, 0] = 300
    assert of_all({REGRESSION: (came, unlucky), BLEND: (came, better)}) == REGRESSION
    assert (
        of_all({REGRESSION: (came[:, :2], worse[:, :2]), BLEND: (came[:, :2],) * 2}) == REGRESSION
    )


def test_another_model_is_taken_only_when_it_is_surely_better() -> None:
    worse = [9.0, -8.0, 10.0, -9.0, 8.0, 9.0]
    [one] = choose(simple_backtest({REGRESSION: worse, SAME_WEEKDAY: [1.0, -2, 1, 2, -1, 1]}))
    assert one.model == SAME_WEEKDAY
    assert one.why == "same_weekday: 98.7% of 6 days in the backtest, beside regression 91.2%"
    lucky = [0.0, -20.0, 1.0, -1.0, 18.0, 1.0]
    [two] = choose(simple_backtest({REGRESSION: worse, SAME_WEEKDAY: lucky}))
    assert two.model == REGRESSION
    [three] = choose(simple_backtest({REGRESSION: [50.0, 60.0], SAME_WEEKDAY: [0.0, 0.0]}))
    assert three.model == REGRESSION
    assert "only 2 days" in three.why


def test_dear_models_must_gain_enough() -> None:
    assert worth_it({"arima": 0.004, "ets": 0.002}) == ["arima"]


def test_models_and_histories_that_are_not_there_are_refused(crowds: Crowds) -> None:
    with pytest.raises(ValueError, match="there is no model 'oracle'"):
        forecast(
            crowds.entries.until(DAYS),
            crowds.kinds,
            crowds.known,
            crowds.is_open[:, DAYS : DAYS + AHEAD],
            replace(SETTINGS, models=("oracle",)),
        )
    with pytest.raises(ValueError, match="give 16 at least"):
        forecast(
            crowds.entries.until(9), crowds.kinds, crowds.known, crowds.is_open[:, 9:11], SETTINGS
        )
    assert callable(models)
