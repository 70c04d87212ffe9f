"""`tillflow run members`: purchases and refunds to live segments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flows.members import GROUP, TOPICS
from flows.members_runner import run_members
from flows.steps import MembersStep
from infra.run_flow import came_to, print_counts, run_flow
from infra.run_options import run_options

_HELD = (
    "SELECT count(*) FILTER (status = 'active'), count(*) FILTER (status = 'merged'), "
    "count(*) FILTER (status = 'erased'), (SELECT count(*) FROM journey_run WHERE "
    "status = 'waiting'), (SELECT count(*) FROM message WHERE decision = 'go' AND "
    "action = 'send') FROM member_state"
)


@click.command()
@run_options(TOPICS, GROUP, "WAREHOUSE.members.recovery")
@click.option(
    "--journeys",
    type=click.Path(path_type=Path),
    envvar="TILLFLOW_JOURNEYS",
    show_envvar=True,
    help="File or folder of journeys that are to be in force; see docs/journeys.md.",
)
@click.option(
    "--health",
    type=click.Path(path_type=Path),
    envvar="TILLFLOW_HEALTH",
    show_envvar=True,
    help="Model of `tillflow members fit`: members get a health; see docs/health.md.",
)
def members(**given: Any) -> None:
    """Purchases to live segments: run again at any time, it goes on where it was."""
    settings = run_flow(MembersStep.FLOW, given, run_members)
    done, (active, merged, erased, waiting, sent) = came_to(settings, _HELD)
    shown = f"{active:,} in {settings.target}, {merged:,} ids merged into others, {erased:,} erased"
    if done is None:
        click.echo(f"nothing new to read; members: {shown}")
        return
    print_counts(done, "other flows' and of nobody")
    click.echo(f"  members      {shown}")
    if settings.journeys is not None:
        click.echo(f"  journeys     {waiting:,} members in them, {sent:,} messages in all")
