"""`tillflow roster compare`: simulated weeks staffed by hand, by a greedy rule, by the search."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any

import click
import msgspec

from infra.answers import Column, console, table
from operators.roster.answer import Budget
from operators.roster.compare.measures import MEASURES, Outcome
from operators.roster.compare.shop import WAITING_COST
from operators.roster.compare.summary import CLAIMS, Estimate, Verdict, difference, verdicts
from operators.roster.compare.week import WAYS, week

# Near enough to the bound to stop before the seconds are over.
NEAR = 0.005
LEAST_PEOPLE, MOST_PEOPLE = 8, 12
TITLES = {
    "wait_min": "mean wait, min",
    "p95_min": "p95 wait, min",
    "lost_pct": "customers lost, %",
    "labour_pct": "labour cost share, %",
    "hours": "hours of work",
    "fairness_pct": "fairness, %",
    "wishes_pct": "wishes met, %",
    "satisfaction": "satisfaction (the mean of both)",
}
_BESIDE = ("against by hand", "against greedy", "claimed")


@click.command()
@click.option("--weeks", default=20, show_default=True, type=click.IntRange(1, 1_000))
@click.option(
    "--seconds", default=10.0, show_default=True, help="Of search a week.", type=click.FLOAT
)
@click.option("--seed", default=1, show_default=True, help="Of shops, customers and search.")
@click.option(
    "--people",
    type=click.IntRange(5, 40),
    help=f"In each shop; without it {LEAST_PEOPLE} to {MOST_PEOPLE} by turns.",
)
@click.option(
    "--days", default=7, show_default=True, type=click.IntRange(1, 7), help="Of each week."
)
@click.option(
    "--waiting-cost",
    default=WAITING_COST,
    show_default=True,
    type=click.IntRange(0),
    help="What an hour of one customer's waiting is worth, in minor units: more of it, more heads.",
)
@click.option(
    "--busy",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.1, 3.0),
    help="So many times as many customers for the same people.",
)
@click.option("--workers", default=2, show_default=True, help="Threads.")
@click.option("--json", "as_json", is_flag=True, help="Every week's figures, for programs.")
def compare(
    weeks: int,
    seconds: float,
    seed: int,
    people: int | None,
    days: int,
    waiting_cost: int,
    busy: float,
    workers: int,
    as_json: bool,
) -> None:
    """Staff simulated weeks in three ways and say what each was worth.

    The customers of a week are the same for all three; who plans sees a forecast, never the truth.
    """
    found: list[dict[str, Outcome]] = []
    for at in range(weeks):
        many = people or LEAST_PEOPLE + at % (MOST_PEOPLE - LEAST_PEOPLE + 1)

        def draws(purpose: str, at: int = at) -> random.Random:
            return random.Random(f"{seed} {at} {purpose}")  # noqa: S311 - a simulation

        budget = Budget(seconds, workers, NEAR, seed)
        one = week(draws, many, time.monotonic, budget, days, waiting_cost=waiting_cost, busy=busy)
        found.append(one)
        waits = ", ".join(f"{way} {one[way].figures['wait_min']:.2f} min" for way in WAYS)
        click.echo(f"week {at + 1} of {weeks}, {many} people: {waits}", err=True)
    columns = {way: _columns([one[way] for one in found]) for way in WAYS}
    judged = verdicts(columns["by hand"], columns["tillflow"])
    broken = {way: sum(bool(one[way].violations) for one in found) for way in WAYS}
    if as_json:
        _tell_json(found, columns, judged, broken)
    else:
        _tell(columns, judged, broken)


def _columns(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    return {name: [one.figures[name] for one in outcomes] for name in MEASURES}


def _tell(
    columns: Mapping[str, Mapping[str, Sequence[float]]],
    judged: Sequence[Verdict],
    broken: Mapping[str, int],
) -> None:
    hand, greedy, ours = (columns[way] for way in WAYS)
    weeks = len(hand["hours"])
    rows = []
    for name in MEASURES:
        row = {way: f"{fmean(columns[way][name]):.2f}" for way in WAYS}
        row["measure"] = TITLES[name]
        row["against by hand"] = _interval(difference(hand[name], ours[name]))
        row["against greedy"] = _interval(difference(greedy[name], ours[name]))
        row["claimed"] = "{} -> {}".format(*CLAIMS[name]) if name in CLAIMS else ""
        rows.append(row)
    shown: tuple[Column, ...] = (
        ("measure", partial(_cell, "measure")),
        *((f">{key}", partial(_cell, key)) for key in (*WAYS, *_BESIDE)),
    )
    title = f"{weeks} simulated shop-weeks: means, and paired differences with 95% intervals"
    console().print(table(title, shown, rows))
    for way, count in broken.items():
        if count:
            click.echo(f"{way}: {count} of {weeks} rosters break a hard rule")
    click.echo("\nAgainst by hand, relative:")
    for one in judged:
        bar = f"{one.bar:+.0%}" if one.bar else "up"
        click.echo(f"  {TITLES[one.measure]}: {_percent(one.change)} (bar: {bar}): {one.words}")


def _cell(key: str, row: Mapping[str, Any]) -> str:
    return str(row[key])


def _interval(one: Estimate) -> str:
    if one.low is None or one.high is None:
        return f"{one.value:+.2f}"
    return f"{one.value:+.2f} ({one.low:+.2f} to {one.high:+.2f})"


def _percent(one: Estimate) -> str:
    if one.low is None or one.high is None:
        return f"{one.value:+.1%}"
    return f"{one.value:+.1%} ({one.low:+.1%} to {one.high:+.1%})"


def _tell_json(
    found: Sequence[Mapping[str, Outcome]],
    columns: Mapping[str, Mapping[str, Sequence[float]]],
    judged: Sequence[Verdict],
    broken: Mapping[str, int],
) -> None:
    plain: dict[str, Any] = {
        "weeks": [{way: one[way].figures for way in WAYS} for one in found],
        "means": {
            way: {name: fmean(values) for name, values in figures.items()}
            for way, figures in columns.items()
        },
        "differences": {
            name: difference(columns["by hand"][name], columns["tillflow"][name])
            for name in MEASURES
        },
        "bars": judged,
        "broken": broken,
        "claims": CLAIMS,
    }
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n")
