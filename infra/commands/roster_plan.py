"""`tillflow roster plan`: from the footfall of a warehouse to the roster of a week."""

from __future__ import annotations

import random
import time
from datetime import UTC, date, datetime
from pathlib import Path

import click

from flows.settings import load_chain
from infra.roster_shown import headline, legal_or_why, tell_costs, tell_waits, write_roster
from infra.warehouse_option import warehouse_option
from operators.roster.answer import Budget
from operators.roster.need.duties import DutyError
from operators.roster.prepare import PrepareError, prepare
from operators.roster.published import published_rows
from operators.roster.solve import solve
from operators.roster.waits import waits
from schemas.instants import parse_instant, to_datetime, to_micros
from schemas.roster import RosterFile
from schemas.roster_file import RosterProblem, load_roster
from schemas.roster_written import written_roster
from sinks.warehouse.address import Target

# The name of the week's roster file in --out.
WEEK_FILE = "roster.yaml"


@click.command()
@click.argument("store")
@click.option(
    "--week",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="Its first day, a Monday as a rule.",
)
@click.option(
    "--people",
    required=True,
    type=click.Path(path_type=Path),
    help="A roster file; it need not say days and need.",
)
@click.option("--days", type=click.IntRange(1, 28), default=7, show_default=True)
@click.option("--config", type=click.Path(path_type=Path), help="The chain's configuration (YAML).")
@click.option(
    "--weather",
    type=click.Path(path_type=Path),
    help="As for tillflow forecast next.  [default: staffing.weather of the configuration]",
)
@click.option(
    "--at",
    help="The instant it is planned at (RFC 3339).  [default: now, or the week's beginning or the "
    "newest window, whichever is first]",
)
@click.option("--fresh", is_flag=True, help="Forecast anew, though the warehouse has the week.")
@click.option("--seconds", default=60.0, show_default=True, help="How long to look.")
@click.option("--gap", default=0.0, show_default=True, help="Near enough, as a share of the cost.")
@click.option("--workers", default=2, show_default=True, help="Threads.")
@click.option("--seed", default=1, show_default=True, help="Of the search.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the roster's files.")
@click.option("--publish", is_flag=True, help="Write forecast, need and roster to the warehouse.")
@warehouse_option
def plan(
    store: str,
    week: datetime,
    people: Path,
    days: int,
    config: Path | None,
    weather: Path | None,
    at: str | None,
    fresh: bool,
    seconds: float,
    gap: float,
    workers: int,
    seed: int,
    out: Path | None,
    publish: bool,
    warehouse: Target,
) -> None:
    """Make the roster of STORE's week: footfall, forecast, heads needed, shifts.

    The forecast of the week is taken from the warehouse, or made where it has none. What is
    published for the weeks before counts for rest, runs of days and fairness.
    """
    # Loaded here: the forecast's libraries take a second, and `--help` should not.
    from infra.forecast_inputs import EXPECTED  # noqa: PLC0415
    from infra.roster_week import Wanted, planned, publish_week  # noqa: PLC0415
    from operators.staffing.week import WeekError  # noqa: PLC0415

    try:
        chain = load_chain(config)
        if weather is None and chain.staffing.weather is not None:
            weather = (config or Path()).parent / chain.staffing.weather
        file = _people(people, store, (week.date(), days))
        instant = None if at is None else to_datetime(_instant(at))
        wanted = Wanted(file, chain, warehouse, weather, datetime.now(UTC), instant, fresh)
        found = planned(wanted)
        problem = prepare(found.week.file)
    except (RosterProblem, PrepareError, DutyError, WeekError, *EXPECTED) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    heads = sum(sum(one.heads) for one in found.week.needs) / 4
    click.echo(f"{store}, {problem.days[0]} to {problem.days[-1]}: {found.words}")
    click.echo(f"  {heads:,.0f} hours of heads needed, {len(problem.people)} people")
    for note in found.week.notes:
        click.echo(f"  {note}")
    began = time.monotonic()
    answer = solve(
        problem,
        time.monotonic,
        random.Random(seed),  # noqa: S311 - draws of a search
        Budget(seconds, workers, gap, seed),
        told=lambda line: click.echo(line, err=True),
    )
    if answer.roster is None:
        answer = legal_or_why(problem, answer, began + seconds)
    assert answer.evaluation is not None
    assert answer.roster is not None
    click.echo(headline(answer))
    tell_costs(answer.evaluation)
    waited = list(waits(found.week.file, problem, answer.evaluation.heads))
    tell_waits(problem, waited)
    if out is not None:
        heading = f"{store}, week of {problem.days[0]}: made by tillflow roster plan of {people}"
        written = write_roster(problem, answer, waited, out)
        (out / WEEK_FILE).write_text(written_roster(found.week.file, heading), "utf-8")
        click.echo(f"{out}: {', '.join([WEEK_FILE, *written])}")
    if publish:
        now = to_micros(wanted.at or wanted.now)
        rows = published_rows(problem, answer.roster, wanted.zone, now)
        try:
            publish_week(wanted, found, rows, problem.days)
        except (WeekError, *EXPECTED) as wrong:
            raise click.ClickException(str(wrong)) from wrong
        click.echo(
            f"published: {len(rows.shifts):,} shifts, {len(rows.tasks):,} quarters of an hour, "
            f"{len(rows.duties):,} duties in {warehouse}"
        )


def _people(path: Path, store: str, week: tuple[date, int]) -> RosterFile:
    file = load_roster(path, week)
    if file.shops:
        msg = f"{path}: several shops that share people are rostered by tillflow roster solve"
        raise RosterProblem(msg)
    if file.shop != store:
        msg = f"{path} is of {file.shop}, not of {store}"
        raise RosterProblem(msg)
    return file


def _instant(text: str) -> int:
    try:
        return parse_instant(text)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--at") from None
