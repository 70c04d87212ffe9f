"""`tillflow run`: run a flow and say how it goes."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from msgspec.structs import replace

from flows.engine_run import EXPECTED
from flows.ready import default_recovery
from flows.recovery import RecoveryError
from flows.runner import FlowError, prepare, run_here, run_processes
from flows.settings import STOCK_TOPICS, SettingsError, StockSettings, kafka_settings, load_chain
from infra.commands.run_footfall import footfall
from infra.commands.run_members import members
from infra.commands.run_roster import roster
from infra.progress import Progress, print_summary
from infra.run_options import run_options
from sinks.warehouse.address import Address

EPOCH_SECONDS = 10.0
# Making progress durable stops everything for a moment. What happens now should seldom meet that,
# and half a minute of the log is read again within seconds.
LIVE_EPOCH_SECONDS = 30.0


@click.group()
def run() -> None:
    """Run a flow."""


run.add_command(footfall)
run.add_command(roster)
run.add_command(members)


@run.command()
@run_options(STOCK_TOPICS, "tillflow-stock", "WAREHOUSE.recovery")
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes; these use further cores.",
)
def stock(
    source: str | None,
    kafka: str | None,
    topics: tuple[str, ...],
    group: str,
    create_topics: bool,
    until_end: bool,
    warehouse: Path,
    token_file: Path | None,
    config: Path | None,
    recovery: Path | None,
    no_recovery: bool,
    follow: bool,
    workers: int,
    processes: int,
    epoch_seconds: float | None,
) -> None:
    """Movements to live positions and alerts: run again at any time, it goes on where it was."""
    if no_recovery and recovery is not None:
        msg = "--recovery and --no-recovery exclude each other"
        raise click.UsageError(msg)
    if bool(source) == bool(kafka):
        msg = "give --source or --kafka (or TILLFLOW_KAFKA), one of the two"
        raise click.UsageError(msg)
    try:
        settings = StockSettings(
            source=source or "",
            kafka=kafka_settings(kafka) if kafka else None,
            topics=topics,
            group=group,
            create_topics=create_topics,
            until_end=until_end,
            warehouse=warehouse,
            warehouse_token_file=token_file,
            config=config,
            recovery=recovery,
            follow=follow,
            epoch_seconds=EPOCH_SECONDS if epoch_seconds is None else epoch_seconds,
        )
        if epoch_seconds is None and kafka and settings.live:
            settings = replace(settings, epoch_seconds=LIVE_EPOCH_SECONDS)
        if not no_recovery and recovery is None:
            settings = replace(settings, recovery=_beside(settings.target))
        load_chain(config)
        prepare(settings)
        if processes > 1:
            run_processes(settings, processes=processes, workers=workers)
        else:
            progress = Progress() if sys.stderr.isatty() else None
            run_here(settings, workers=workers, report=progress)
            if progress is not None:
                progress.close()
    except (SettingsError, RecoveryError, FlowError, *EXPECTED) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    except OSError as wrong:
        msg = f"{wrong.filename}: {wrong.strerror}" if wrong.filename else str(wrong)
        raise click.ClickException(msg) from wrong
    print_summary(settings.target, settings.run)


def _beside(target: Path | Address) -> Path:
    if isinstance(target, Address):
        msg = f"{target} is no file that state could lie beside: give --recovery FOLDER"
        raise click.UsageError(msg)
    return default_recovery(target)
