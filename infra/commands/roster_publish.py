"""`tillflow roster publish`: a roster into the warehouse, where flows and dashboards see it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from flows.settings import SettingsError, load_chain
from infra.options import config_option
from infra.warehouse_option import warehouse_option
from operators.roster.evaluate import evaluate
from operators.roster.need.duties import DutyError
from operators.roster.prepare import PrepareError, prepare
from operators.roster.published import published_rows
from operators.roster.written import UnreadRoster, from_plain
from schemas.instants import parse_instant, to_micros
from schemas.roster_file import RosterProblem, load_roster
from sinks.roster.published import publish as write
from sinks.warehouse.address import Target
from sinks.warehouse.client import WarehouseError


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--roster",
    "given",
    required=True,
    type=click.Path(path_type=Path),
    help="The roster.json to publish, made from FILE by tillflow roster solve.",
)
@config_option()
@click.option("--at", help="The instant it counts as published (RFC 3339).  [default: now]")
@click.option("--anyway", is_flag=True, help="Also a roster that breaks rules.")
@warehouse_option
def publish(
    file: Path,
    given: Path,
    config: Path | None,
    at: str | None,
    anyway: bool,
    warehouse: Target,
) -> None:
    """Publish a roster of FILE: it takes the place of what was published for its days.

    Writes roster_shift, roster_task_15m and roster_duty, by real time in the shop's zone.
    """
    try:
        now = to_micros(datetime.now(UTC)) if at is None else parse_instant(at)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--at") from None
    try:
        problem = prepare(load_roster(file))
        roster = from_plain(problem, msgspec.json.decode(given.read_bytes()))
        chain = load_chain(config)
    except (RosterProblem, PrepareError, DutyError, SettingsError) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    except (OSError, msgspec.DecodeError, UnreadRoster, KeyError, TypeError, ValueError) as wrong:
        msg = f"{given} is no roster of {file}: {wrong}"
        raise click.ClickException(msg) from wrong
    broken = evaluate(problem, roster).violations
    if broken and not anyway:
        shown = "\n  ".join(broken[:10])
        msg = f"the roster breaks rules, --anyway publishes it all the same:\n  {shown}"
        raise click.ClickException(msg)
    place = chain.places.get(problem.shop)
    zone = (place and place.timezone) or chain.timezone
    rows = published_rows(problem, roster, zone, now)
    try:
        write(warehouse, rows, problem.shop, problem.days, now)
    except WarehouseError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    click.echo(
        f"{problem.shop}, {problem.days[0]} to {problem.days[-1]}: {len(rows.shifts):,} shifts, "
        f"{len(rows.tasks):,} quarters of an hour, {len(rows.duties):,} duties in {warehouse}"
    )
