"""`tillflow run footfall`: doors and tills to quarters of an hour."""

from __future__ import annotations

from typing import Any

import click

from flows.footfall import GROUP, TOPICS
from flows.footfall_runner import run_footfall
from flows.steps import FootfallStep
from infra.run_flow import came_to, print_counts, run_flow
from infra.run_options import run_options

_HELD = (
    "SELECT count(*), count(DISTINCT store), "
    "count(*) FILTER (door_status = 'silent' OR till_status = 'silent') FROM footfall_15m"
)


@click.command()
@run_options(TOPICS, GROUP, "WAREHOUSE.footfall.recovery")
def footfall(**given: Any) -> None:
    """Doors and tills to quarters of an hour: run again at any time, it goes on where it was."""
    settings = run_flow(FootfallStep.FLOW, given, run_footfall)
    done, (windows, stores, silent) = came_to(settings, _HELD)
    shown = (
        f"{windows:,} of {stores:,} stores in {settings.target}, {silent:,} with a silent sensor"
    )
    if done is None:
        click.echo(f"nothing new to read; windows: {shown}")
        return
    print_counts(done)
    click.echo(f"  windows      {shown}")
