"""`tillflow run`: run a flow and say how it goes."""

from __future__ import annotations

from typing import Any

import click

from flows.parts import Report
from flows.runner import prepare, run_here, run_processes
from flows.settings import STOCK_GROUP, STOCK_TOPICS, StockSettings
from flows.steps import StockStep
from infra.commands.run_coupons import coupons
from infra.commands.run_footfall import footfall
from infra.commands.run_members import members
from infra.commands.run_roster import roster
from infra.run_flow import came_to, print_counts, run_flow
from infra.run_options import run_options

_HELD = (
    "SELECT count(*), (SELECT count(*) FROM stock_alert WHERE status <> 'cleared') "
    "FROM stock_position"
)


@click.group()
def run() -> None:
    """Run a flow."""


run.add_command(footfall)
run.add_command(roster)
run.add_command(members)
run.add_command(coupons)


@run.command()
@run_options(STOCK_TOPICS, STOCK_GROUP, "WAREHOUSE.recovery")
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes; these use further cores.",
)
def stock(processes: int, **given: Any) -> None:
    """Movements to live positions and alerts: run again at any time, it goes on where it was."""

    def start(settings: StockSettings, *, workers: int, report: Report | None) -> None:
        prepare(settings)
        if processes > 1:
            run_processes(settings, processes=processes, workers=workers)
        else:
            run_here(settings, workers=workers, report=report)

    settings = run_flow(StockStep.FLOW, given, start, shows_progress=processes == 1)
    done, (positions, open_alerts) = came_to(settings, _HELD)
    if done is None:
        click.echo(f"nothing new to read; {settings.target} holds {positions:,} positions")
        return
    print_counts(done)
    raised, cleared = done.alerts_raised, done.alerts_cleared
    click.echo(f"  alerts       {raised:,} raised, {cleared:,} cleared; {open_alerts:,} open now")
    click.echo(f"  positions    {positions:,} in {settings.target}")
