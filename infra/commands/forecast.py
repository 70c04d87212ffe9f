"""`tillflow forecast`: footfall and orders to come, and how good such forecasts have been."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
import msgspec

from flows.settings import SettingsError, load_chain
from infra.answers import console, table
from infra.warehouse_option import warehouse_option
from schemas.chain import Chain
from schemas.forecast_tables import FORECAST_15M, FORECAST_SPAN
from schemas.instants import format_instant, parse_instant, to_datetime
from sinks.warehouse.address import Target, WarehouseError
from sinks.warehouse.client import open_reader

F = TypeVar("F", bound=Callable[..., Any])

_MODELS = ("regression", "same_weekday", "last_week", "arima", "ets")
_SPANS = ("quarter", "hour", "day")


@click.group()
def forecast() -> None:
    """People and orders to come: quarters of an hour, hours and days, with bands."""


def _shared(command: F) -> F:
    config = click.option(
        "--config", type=click.Path(path_type=Path), help="The chain's configuration (YAML)."
    )
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
    form = click.option(
        "--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True
    )
    return warehouse_option(config(weather(windows(jobs(measure(models(form(command))))))))


@forecast.command("next")
@click.argument("stores", nargs=-1)
@click.option("--at", help="The instant it is made at (RFC 3339).  [default: now]")
@click.option("--days", type=click.IntRange(1, 14), default=2, show_default=True, help="Today too.")
@click.option("--no-write", is_flag=True, help="Show it only; do not write it to the warehouse.")
@_shared
def next_days(
    stores: Sequence[str],
    at: str | None,
    days: int,
    no_write: bool,
    config: Path | None,
    weather: Path | None,
    windows: Path | None,
    jobs: int,
    measures: Sequence[str],
    models: Sequence[str],
    form: str,
    warehouse: Target,
) -> None:
    """Forecast today and the days after it for every store; show STORES, or all their days.

    What has come of today by then changes the rest of it, and the reason is told.
    """
    # Loaded here: the engine takes seconds, and `--help` should not.
    from infra import forecasting  # noqa: PLC0415
    from sinks.forecast.table import write_forecasts  # noqa: PLC0415

    now = _instant(at)
    try:
        chain = load_chain(config)
        today = now.astimezone(ZoneInfo(chain.timezone)).date()
        found = _windows(windows, warehouse, chain, today, now)
        unknown = sorted(set(stores) - set(found.names))
        if unknown:
            msg = f"no windows of {', '.join(unknown)}; there are some of {_some(found.names)}"
            raise click.ClickException(msg)
        rows = []
        for measure in forecasting.MEASURES:
            if measure not in measures:
                continue
            ready = forecasting.prepare(found, chain, _weather(weather), measure, today, days)
            made = forecasting.make(ready, days, chain.forecast.windows, models, jobs)
            rows.append(forecasting.told(ready, made, measure, now)[0])
        if not no_write:
            write_forecasts(warehouse, rows)
    except _expected() as wrong:
        raise click.ClickException(str(wrong)) from wrong
    _show(rows, stores, form)


@forecast.command()
@click.option("--until", help="First day that is not used (YYYY-MM-DD).  [default: the last one]")
@click.option("--days", type=click.IntRange(4, 60), default=14, show_default=True)
@click.option("--picture", type=click.Path(path_type=Path), help="PNG of a store's days.")
@click.option("--store", help="The store of the picture.  [default: the first]")
@_shared
def backtest(
    until: str | None,
    days: int,
    picture: Path | None,
    store: str | None,
    config: Path | None,
    weather: Path | None,
    windows: Path | None,
    jobs: int,
    measures: Sequence[str],
    models: Sequence[str],
    form: str,
    warehouse: Target,
) -> None:
    """What each model would have said the evening before, day after day, and what came."""
    from infra import forecast_picture, forecast_report, forecasting  # noqa: PLC0415
    from operators.forecast.backtest import backtest as tested  # noqa: PLC0415
    from operators.forecast.backtest import choose  # noqa: PLC0415
    from operators.forecast.engine import CHEAP  # noqa: PLC0415

    answers: dict[str, Any] = {}
    drawn = None
    try:
        chain = load_chain(config)
        last = _day(until) if until else _newest_day(windows, warehouse, chain)
        found = _windows(windows, warehouse, chain, last, None)
        for measure in forecasting.MEASURES:
            good = found.doors if measure == "entries" else found.tills
            if measure not in measures or not good.any():
                continue
            ready = forecasting.prepare(found, chain, _weather(weather), measure, last, 1)
            past, kinds = ready.past, ready.context.kinds
            origins = [day for day in range(past.days - days, past.days) if day >= 14]
            if not origins:
                msg = f"{past.days} days of windows are too few: 15 at least"
                raise click.ClickException(msg)
            names = [*CHEAP, *(name for name in models if name not in CHEAP)]
            columns = forecasting.tested_columns(ready)
            one = tested(past, kinds, columns, names, origins, jobs=jobs)
            answers[measure] = forecast_report.summary(one)
            if picture is not None and drawn is None:
                number = past.stores.index(store) if store in past.stores else 0
                model = choose(one)[number].model
                drawn = forecast_picture.draw(past, one, number, model, picture)
    except _expected() as wrong:
        raise click.ClickException(str(wrong)) from wrong
    if form == "json":
        sys.stdout.write(
            msgspec.json.format(msgspec.json.encode(answers), indent=2).decode() + "\n"
        )
    for name, answer in answers.items() if form == "table" else ():
        _print_backtest(name, answer)
    if drawn is False:
        click.echo("no picture: matplotlib is not installed, see the extra `demo`", err=True)


def _print_backtest(measure: str, answer: dict[str, Any]) -> None:
    rows = [
        {"model": name, **{span: f"{100 * score[span]:.1f}" for span in _SPANS}}
        for name, score in sorted(answer["accuracy"].items(), key=lambda item: item[1]["day"])
    ]
    rows.append(
        {
            "model": "Poisson noise",
            **{span: f"{100 * answer['floor'][span]:.1f}" for span in _SPANS},
        }
    )
    title = f"{measure}: {answer['stores']} stores, {answer['days']} days, accuracy (1 - WAPE) in %"
    chosen = ", ".join(f"{name} for {count}" for name, count in answer["chosen"].items())
    held = ", ".join(f"{name} held {share:.1%}" for name, share in answer["held"].items())
    columns = (
        ("model", lambda one: str(one["model"])),
        (">15 min", lambda one: str(one["quarter"])),
        (">hour", lambda one: str(one["hour"])),
        (">day", lambda one: str(one["day"])),
    )
    click.echo(title)
    console().print(table("", columns, rows))
    click.echo(f"chosen: {chosen}\nbands, judged on days they were not made from: {held}")


def _show(rows: Sequence[Any], stores: Sequence[str], form: str) -> None:
    names = FORECAST_SPAN.names
    spans = [dict(zip(names, row, strict=True)) for one in rows for row in one.spans]
    wanted = [one for one in spans if not stores or one["store"] in stores]
    if form == "json":
        quarters = [
            dict(zip(FORECAST_15M.names, row, strict=True)) for one in rows for row in one.quarters
        ]
        told = [one for one in quarters if not stores or one["store"] in stores]
        for one in (*told, *wanted):
            for name in ("start", "known_until", "made_at"):
                one[name] = format_instant(one[name])
        encoded = msgspec.json.encode({"quarters": told, "spans": wanted})
        sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")
        return
    shown = [one for one in wanted if stores or one["span"] == "day"]
    columns = (
        ("store", lambda one: str(one["store"])),
        ("what", lambda one: str(one["measure"])),
        ("span", lambda one: str(one["span"])),
        ("from", lambda one: str(one["local_start"])[:16].replace("T", " ")),
        (">expected", lambda one: f"{one['mean']:,.1f}"),
        (">80% inside", lambda one: f"{one['low_80']:,} to {one['high_80']:,}"),
        (">95% inside", lambda one: f"{one['low_95']:,} to {one['high_95']:,}"),
    )
    console().print(table("Forecast", columns, shown))
    for one in wanted:
        if one["span"] == "day" and stores:
            words = f"; {one['update']}" if one["update"] else ""
            click.echo(f"{one['store']} {one['measure']} {one['day']}: {one['why']}{words}")


def _windows(
    file: Path | None, warehouse: Target, chain: Chain, today: date, now: datetime | None
) -> Any:
    """Windows that were final by then, of the history and of today."""
    from infra.forecasting import span_of  # noqa: PLC0415
    from sinks.forecast.table import read_windows, windows_of  # noqa: PLC0415
    from sources.forecast_files import read_window_file  # noqa: PLC0415

    since, until = span_of(chain, today)
    # A window counts when it is over.
    until = min(until, now - timedelta(minutes=15)) if now is not None else until
    if file is None:
        reader = open_reader(warehouse)
        try:
            return read_windows(reader, since, until)
        finally:
            reader.close()
    found = read_window_file(file)
    quarter = found["quarter"].to_numpy()
    first, end = (-(-int(one.timestamp()) // 900) for one in (since, until))
    return windows_of(found.filter((quarter >= first) & (quarter < end)))


def _newest_day(file: Path | None, warehouse: Target, chain: Chain) -> date:
    """The day of the newest window: the first that is not complete."""
    from sinks.forecast.table import newest_window  # noqa: PLC0415
    from sources.forecast_files import read_window_file  # noqa: PLC0415

    if file is not None:
        quarters = read_window_file(file)["quarter"].to_numpy()
        newest = int(quarters.max()) * 900_000_000 if len(quarters) else None
    else:
        reader = open_reader(warehouse)
        try:
            newest = newest_window(reader)
        finally:
            reader.close()
    if newest is None:
        msg = "there are no final windows of footfall: run tillflow run footfall first"
        raise click.ClickException(msg)
    return to_datetime(newest).astimezone(ZoneInfo(chain.timezone)).date()


def _weather(path: Path | None) -> list[Any]:
    from sources.forecast_files import read_weather  # noqa: PLC0415

    return read_weather(path) if path is not None else []


def _expected() -> tuple[type[Exception], ...]:
    from sources.forecast_files import ForecastFileError  # noqa: PLC0415

    return (SettingsError, WarehouseError, ForecastFileError, ValueError)


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


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
