"""`tillflow run members`: purchases and refunds to live segments."""

from __future__ import annotations

from typing import Any

import click

from flows.members import GROUP, TOPICS
from flows.members_runner import run_members
from flows.steps import MembersStep
from infra.run_flow import came_to, print_counts, run_flow
from infra.run_options import run_options

_HELD = (
    "SELECT count(*) FILTER (status = 'active'), count(*) FILTER (status = 'merged'), "
    "count(*) FILTER (status = 'erased') FROM member_state"
)


@click.command()
@run_options(TOPICS, GROUP, "WAREHOUSE.members.recovery")
def members(**given: Any) -> None:
    """Purchases to live segments: run again at any time, it goes on where it was."""
    settings = run_flow(MembersStep.FLOW, given, run_members)
    done, (active, merged, erased) = came_to(settings, _HELD)
    shown = f"{active:,} in {settings.target}, {merged:,} ids merged into others, {erased:,} erased"
    if done is None:
        click.echo(f"nothing new to read; members: {shown}")
        return
    print_counts(done, "other flows' and of nobody")
    click.echo(f"  members      {shown}")
