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
from operators.roster.compare.scenario import MANAGERS, RUSH, SCENARIOS, Scenario
from operators.roster.compare.summary import CLAIMS, Estimate, Verdict, difference, verdicts
from operators.roster.compare.week import WAYS, week

# Near enough to the bound to stop before the seconds are over.
NEAR = 0.005
# A CPU second may take so long on a busy machine.
STRETCH = 20.0
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
@click.option(
    "--shops",
    default=RUSH.name,
    show_default=True,
    type=click.Choice(list(SCENARIOS)),
    help="Busy ones with rushes and a manager's rule of thumb, or amply staffed quiet ones.",
)
@click.option("--weeks", default=20, show_default=True, type=click.IntRange(1, 1_000))
@click.option(
    "--seconds",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Of search a week, at most: CPU seconds, all threads together.",
)
@click.option("--wall", is_flag=True, help="Seconds by the clock on the wall instead.")
@click.option("--seed", default=1, show_default=True, help="Of shops, customers and search.")
@click.option(
    "--people",
    type=click.IntRange(5, 40),
    help="In each shop; without it as many as such shops have, by turns.",
)
@click.option(
    "--days", default=7, show_default=True, type=click.IntRange(1, 7), help="Of each week."
)
@click.option(
    "--waiting-cost",
    type=click.IntRange(0),
    help="What an hour of one customer's waiting is worth, in minor units: more of it, more heads. "
    "Without it {}.".format(
        ", ".join(f"{one.waiting_cost:,} in {name} shops" for name, one in SCENARIOS.items())
    ),
)
@click.option(
    "--busy",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.1, 3.0),
    help="So many times as many customers for the same people.",
)
@click.option(
    "--peaks",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.0, 1.2),
    help="How far rushes and quiet hours are from the day's mean: 0 is the same all day.",
)
@click.option(
    "--patience",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.05, 20.0),
    help="Customers wait so many times as long before they give up.",
)
@click.option(
    "--luck",
    type=click.FloatRange(0.0, 1.0),
    help="How far days are from what is usual for them; without it as in such shops.",
)
@click.option(
    "--manager",
    type=click.Choice(MANAGERS),
    help="Plans by hand by a rule of thumb, by one that has short shifts for rushes, too, or by "
    "queueing theory; without it as in such shops.",
)
@click.option("--workers", default=2, show_default=True, help="Threads.")
@click.option("--json", "as_json", is_flag=True, help="Every week's figures, for programs.")
def compare(
    shops: str,
    weeks: int,
    seconds: float,
    wall: bool,
    seed: int,
    people: int | None,
    days: int,
    workers: int,
    as_json: bool,
    **changes: Any,
) -> None:
    """Staff simulated weeks in three ways and say what each was worth.

    The customers of a week are the same for all three; who plans sees a forecast, never the truth.
    """
    scenario = SCENARIOS[shops].changed(**changes)
    clock = time.monotonic if wall else time.process_time
    budget = Budget(seconds, workers, NEAR, seed, 1.0 if wall else STRETCH)
    least, most = scenario.people
    found: list[dict[str, Outcome]] = []
    for at in range(weeks):
        many = people or least + at % (most - least + 1)

        def draws(purpose: str, at: int = at) -> random.Random:
            return random.Random(f"{seed} {at} {purpose}")  # noqa: S311 - a simulation

        one = week(scenario, draws, many, clock, budget, days)
        found.append(one)
        waits = ", ".join(f"{way} {one[way].figures['wait_min']:.2f} min" for way in WAYS)
        click.echo(f"week {at + 1} of {weeks}, {many} people: {waits}", err=True)
    columns = {way: _columns([one[way] for one in found]) for way in WAYS}
    judged = verdicts(columns["by hand"], columns["tillflow"])
    broken = {way: sum(bool(one[way].violations) for one in found) for way in WAYS}
    if as_json:
        _tell_json(scenario, found, columns, judged, broken)
    else:
        _tell(scenario, columns, judged, broken)


def _columns(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    return {name: [one.figures[name] for one in outcomes] for name in MEASURES}


def _tell(
    scenario: Scenario,
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
    title = (
        f"{weeks} simulated shop-weeks ({scenario.name}): "
        "means, and paired differences with 95% intervals"
    )
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
    scenario: Scenario,
    found: Sequence[Mapping[str, Outcome]],
    columns: Mapping[str, Mapping[str, Sequence[float]]],
    judged: Sequence[Verdict],
    broken: Mapping[str, int],
) -> None:
    plain: dict[str, Any] = {
        "shops": scenario,
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
