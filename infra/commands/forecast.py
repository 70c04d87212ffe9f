"""`tillflow forecast`: footfall and orders to come, and how good such forecasts have been."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from flows.settings import SettingsError, load_chain
from infra.forecast_shown import print_backtest, print_forecast
from infra.options import config_option, format_option
from infra.warehouse_option import warehouse_option
from schemas.instants import parse_instant, to_datetime

F = TypeVar("F", bound=Callable[..., Any])

_MODELS = ("arima", "ets")


@click.group()
def forecast() -> None:
    """People and orders to come: quarters of an hour, hours and days, with bands."""


def _shared(command: F) -> F:
    config = config_option()
    weather = click.option(
        "--weather",
        type=click.Path(path_type=Path),
        help="CSV or Parquet: place, day, issued, rain_mm, high_c.",
    )
    windows = click.option(
        "--windows",
        type=click.Path(path_type=Path),
        help="CSV or Parquet of windows (store, start, entries, orders), not the warehouse.",
    )
    jobs = click.option("--jobs", type=click.IntRange(1), default=1, help="Processes.")
    measure = click.option(
        "--measure",
        "measures",
        type=click.Choice(("entries", "orders")),
        multiple=True,
        default=("entries", "orders"),
        show_default=True,
    )
    models = click.option(
        "--model",
        "models",
        type=click.Choice(_MODELS),
        multiple=True,
        help="A model to try beside the regression and the plain ones; several may be given.",
    )
    return warehouse_option(config(weather(windows(jobs(measure(models(command)))))))


_form = format_option()


@forecast.command("next")
@click.argument("stores", nargs=-1)
@click.option("--at", help="The instant it is made at (RFC 3339).  [default: now]")
@click.option("--days", type=click.IntRange(1, 14), default=2, show_default=True, help="Today too.")
@click.option("--scout", is_flag=True, help="Try slow models on some stores; on all if they pay.")
@click.option("--no-write", is_flag=True, help="Show it only; do not write it to the warehouse.")
@_form
@_shared
def next_days(
    stores: Sequence[str],
    at: str | None,
    days: int,
    scout: bool,
    no_write: bool,
    form: str,
    config: Path | None,
    **given: Any,
) -> None:
    """Forecast today and the days after it for every store; show STORES, or all their days.

    What has come of today by then changes the rest of it, and the reason is told.
    """
    # Loaded here: the libraries take a second, and `--help` should not.
    from infra.forecast_inputs import EXPECTED, Inputs, rows_at  # noqa: PLC0415
    from sinks.forecast.table import write_forecasts  # noqa: PLC0415

    now = _instant(at)
    try:
        inputs = Inputs(**given)
        rows = rows_at(inputs, load_chain(config), now, days, stores, scout=scout)
        if not no_write:
            write_forecasts(inputs.warehouse, rows)
    except EXPECTED as wrong:
        raise click.ClickException(str(wrong)) from wrong
    print_forecast(rows, stores, form)


@forecast.command()
@click.option("--days", type=click.IntRange(1, 14), default=2, show_default=True, help="Today too.")
@click.option("--rounds", type=click.IntRange(1), hidden=True, help="End after so many.")
@_shared
def watch(days: int, rounds: int | None, config: Path | None, **given: Any) -> None:
    """Write forecasts whenever they are due, until stopped.

    They are due at each zone's planning hour and every so many minutes while its day goes on:
    `planning` and `refresh_minutes` of the configuration.
    """
    from infra.forecast_inputs import EXPECTED, Inputs, rows_at  # noqa: PLC0415
    from operators.forecast.due import next_due  # noqa: PLC0415
    from sinks.forecast.table import write_forecasts  # noqa: PLC0415

    inputs, done = Inputs(**given), 0
    try:
        chain = load_chain(config)
    except SettingsError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    zones = {chain.timezone, *(one.timezone for one in chain.places.values() if one.timezone)}
    rules = chain.forecast
    while True:
        now = datetime.now(UTC)
        try:
            written = write_forecasts(
                inputs.warehouse, rows_at(inputs, chain, now, days, (), scout=False)
            )
            click.echo(f"{now:%Y-%m-%d %H:%M}Z: {written:,} rows")
        except EXPECTED as wrong:
            # A warehouse that is away, a day without windows: the next time is another one.
            click.echo(f"{now:%Y-%m-%d %H:%M}Z: no forecast: {wrong}", err=True)
        done += 1
        if done == rounds:
            return
        due = next_due(datetime.now(UTC), zones, rules.planning_minutes, rules.refresh_minutes)
        time.sleep(max((due - datetime.now(UTC)).total_seconds(), 0.0))


@forecast.command()
@click.option("--until", help="First day that is not used (YYYY-MM-DD).  [default: the last one]")
@click.option("--days", type=click.IntRange(4, 60), default=14, show_default=True)
@click.option("--picture", type=click.Path(path_type=Path), help="PNG of a store's days.")
@click.option("--store", help="The store of the picture.  [default: the first]")
@_form
@_shared
def backtest(
    until: str | None,
    days: int,
    picture: Path | None,
    store: str | None,
    form: str,
    config: Path | None,
    **given: Any,
) -> None:
    """What each model would have said the evening before, day after day, and what came."""
    from infra import forecast_report  # noqa: PLC0415
    from infra.forecast_inputs import EXPECTED, Inputs  # noqa: PLC0415

    answers: dict[str, Any] = {}
    drawn = None
    try:
        inputs, chain = Inputs(**given), load_chain(config)
        last = _day(until) if until else inputs.newest_day(chain)
        found = inputs.read(chain, last)
        for measure in inputs.there(found):
            tested = forecast_report.tested(inputs, chain, found, measure, last, days)
            answers[measure] = forecast_report.summary(tested.backtest)
            if picture is not None and drawn is None:
                drawn = forecast_report.draw(tested, store, picture)
    except EXPECTED as wrong:
        raise click.ClickException(str(wrong)) from wrong
    if form == "json":
        encoded = msgspec.json.encode(answers)
        sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")
    for name, answer in answers.items() if form == "table" else ():
        print_backtest(name, answer)
    if drawn is False:
        click.echo("no picture: matplotlib is not installed, see the extra `demo`", err=True)


def _instant(at: str | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    try:
        return to_datetime(parse_instant(at))
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--at") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is not a day like 2026-11-23"
        raise click.BadParameter(msg, param_hint="--until") from None
