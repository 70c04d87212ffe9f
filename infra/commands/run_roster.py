"""`tillflow run roster`: forecasts, heads needed, and alerts about running days."""

from __future__ import annotations

from typing import Any

import click

from flows.steps import RosterStep
from infra.run_flow import came_to, run_flow
from infra.run_options import run_options
from schemas.footfall import FOOTFALL_WINDOW_TYPE

_HELD = (
    "SELECT (SELECT count(*) FROM forecast_15m), count(*), count(DISTINCT store), "
    "(SELECT count(*) FROM staffing_alert WHERE status <> 'cleared') FROM staffing_15m"
)


@click.command()
@run_options(
    (FOOTFALL_WINDOW_TYPE,),
    "tillflow-roster",
    "WAREHOUSE.roster.recovery",
    source="File of windows (JSON Lines or Parquet), folder, or pattern.",
    kafka="Brokers to read from and write to. Without this and --source: footfall_15m is read.",
)
@click.option("--since", help="Plan nothing before this instant (RFC 3339).")
def roster(**given: Any) -> None:
    """Windows to forecasts, heads needed and alerts; goes on where it was.

    Live it looks at each zone's planning hour and every so many minutes of its day, by the clock;
    over what has been (a file, the warehouse, --until-end), by the time of the windows.
    """
    # Loaded here: the forecast's libraries take a second, and `--help` should not.
    from flows.roster import WAREHOUSE  # noqa: PLC0415
    from flows.roster_runner import run_roster  # noqa: PLC0415

    settings = run_flow(RosterStep.FLOW, given, run_roster, otherwise=WAREHOUSE)
    done, (forecasts, staffed, stores, open_alerts) = came_to(settings, _HELD)
    shown = (
        f"{forecasts:,} quarters forecast, {staffed:,} staffed of {stores:,} stores, "
        f"{open_alerts:,} alerts open in {settings.target}"
    )
    if done is None:
        click.echo(f"nothing new to read; {shown}")
        return
    click.echo(
        f"{done.status} after {done.seconds:.1f} s: {done.lines:,} windows read, "
        f"{done.applied:,} final"
    )
    click.echo(f"  alerts       {done.alerts_raised:,} raised, {done.alerts_cleared:,} cleared")
    click.echo(f"  dead letters {done.dead_letters:,}")
    click.echo(f"  there        {shown}")
