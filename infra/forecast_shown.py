"""Forecasts and backtests on standard output: tables for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from infra.answers import console, table
from schemas.forecast_tables import FORECAST_15M, FORECAST_SPAN
from schemas.instants import format_instant

SPANS = ("quarter", "hour", "day")


def print_backtest(measure: str, answer: dict[str, Any]) -> None:
    """Accuracy by model and span, what was chosen, and how the bands held."""
    rows = [
        {"model": name, **{span: f"{100 * score[span]:.1f}" for span in SPANS}}
        for name, score in sorted(answer["accuracy"].items(), key=lambda item: item[1]["day"])
    ]
    rows.append(
        {
            "model": "Poisson noise",
            **{span: f"{100 * answer['floor'][span]:.1f}" for span in SPANS},
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


def print_forecast(rows: Sequence[Any], stores: Sequence[str], form: str) -> None:
    """Days of all stores, hours and days of those asked for, and why."""
    names = FORECAST_SPAN.names
    spans = [dict(zip(names, row, strict=True)) for one in rows for row in one.spans]
    wanted = [one for one in spans if not stores or one["store"] in stores]
    if form == "json":
        quarters = [
            dict(zip(FORECAST_15M.names, row, strict=True)) for one in rows for row in one.quarters
        ]
        told = [one for one in quarters if not stores or one["store"] in stores]
        for one in (*told, *wanted):
            for name in ("start", "known_until", "updated_at"):
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
