"""`tillflow run`: run a flow and say how it goes."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from flows.recovery import RecoveryError
from flows.runner import FlowError, default_recovery, prepare, run_here, run_processes
from flows.settings import SettingsError, StockSettings, load_chain
from infra.progress import Progress, print_summary
from sinks.journal import JournalError
from sinks.warehouse.client import WarehouseError
from sources.blocks import SourceError


@click.group()
def run() -> None:
    """Run a flow."""


@run.command()
@click.option("--source", required=True, help="File of events (JSON Lines), folder, or pattern.")
@click.option("--warehouse", required=True, type=click.Path(path_type=Path), help="DuckDB file.")
@click.option("--config", type=click.Path(path_type=Path), help="The chain's configuration (YAML).")
@click.option(
    "--recovery",
    type=click.Path(path_type=Path),
    help="Folder for state and progress.  [default: WAREHOUSE.recovery]",
)
@click.option("--no-recovery", is_flag=True, help="Keep no state: the next run starts anew.")
@click.option("--follow", is_flag=True, help="Go on when the end is reached, until stopped.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Worker threads a process.",
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes; these use further cores.",
)
@click.option(
    "--epoch-seconds",
    type=click.FloatRange(min=0, max=86_400),
    default=10.0,
    show_default=True,
    help="How often progress is made durable.",
)
def stock(
    source: str,
    warehouse: Path,
    config: Path | None,
    recovery: Path | None,
    no_recovery: bool,
    follow: bool,
    workers: int,
    processes: int,
    epoch_seconds: float,
) -> None:
    """Movements to live positions and alerts: run again at any time, it goes on where it was."""
    if no_recovery and recovery is not None:
        msg = "--recovery and --no-recovery exclude each other"
        raise click.UsageError(msg)
    settings = StockSettings(
        source=source,
        warehouse=warehouse,
        config=config,
        recovery=None if no_recovery else recovery or default_recovery(warehouse),
        follow=follow,
        epoch_seconds=epoch_seconds,
    )
    try:
        load_chain(config)
        prepare(settings)
        if processes > 1:
            run_processes(settings, processes=processes, workers=workers)
        else:
            progress = Progress() if sys.stderr.isatty() else None
            run_here(settings, workers=workers, report=progress)
            if progress is not None:
                progress.close()
    except (
        SourceError,
        SettingsError,
        WarehouseError,
        RecoveryError,
        JournalError,
        FlowError,
    ) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    except OSError as wrong:
        msg = f"{wrong.filename}: {wrong.strerror}" if wrong.filename else str(wrong)
        raise click.ClickException(msg) from wrong
    print_summary(warehouse, settings.run)
