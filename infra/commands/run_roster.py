"""`tillflow run roster`: forecasts, heads needed, and alerts about running days."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from msgspec.structs import replace

from flows.engine_run import EXPECTED
from flows.ready import default_recovery
from flows.recovery import RecoveryError
from flows.settings import SettingsError, StockSettings, kafka_settings, load_chain
from flows.steps import RosterStep
from infra.progress import Progress
from infra.run_options import run_options
from schemas.footfall import FOOTFALL_WINDOW_TYPE
from sinks.warehouse.address import Address, Target
from sinks.warehouse.client import open_reader

EPOCH_SECONDS = 10.0
LIVE_EPOCH_SECONDS = 30.0


@click.command()
@run_options(
    (FOOTFALL_WINDOW_TYPE,),
    "tillflow-roster",
    "WAREHOUSE.roster.recovery",
    source="File of windows (JSON Lines or Parquet), folder, or pattern.",
    kafka="Brokers to read from and write to. Without this and --source: footfall_15m is read.",
)
@click.option("--since", help="Plan nothing before this instant (RFC 3339).")
def roster(
    source: str | None,
    kafka: str | None,
    topics: tuple[str, ...],
    group: str,
    create_topics: bool,
    until_end: bool,
    warehouse: Path,
    token_file: Path | None,
    config: Path | None,
    since: str | None,
    recovery: Path | None,
    no_recovery: bool,
    follow: bool,
    workers: int,
    epoch_seconds: float | None,
) -> None:
    """Windows to forecasts, heads needed and alerts; goes on where it was.

    Live it looks at each zone's planning hour and every so many minutes of its day, by the clock;
    over what has been (a file, the warehouse, --until-end), by the time of the windows.
    """
    # Loaded here: the forecast's libraries take a second, and `--help` should not.
    from flows.roster import WAREHOUSE  # noqa: PLC0415
    from flows.roster_runner import run_roster  # noqa: PLC0415

    if no_recovery and recovery is not None:
        msg = "--recovery and --no-recovery exclude each other"
        raise click.UsageError(msg)
    if source and kafka:
        msg = "--source and --kafka (or TILLFLOW_KAFKA) exclude each other"
        raise click.UsageError(msg)
    try:
        settings = StockSettings(
            source=source or ("" if kafka else WAREHOUSE),
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
            since=since,
            epoch_seconds=EPOCH_SECONDS if epoch_seconds is None else epoch_seconds,
        )
        if epoch_seconds is None and kafka and settings.live:
            settings = replace(settings, epoch_seconds=LIVE_EPOCH_SECONDS)
        if not no_recovery and recovery is None:
            settings = replace(settings, recovery=_beside(settings.target))
        load_chain(config)
        progress = Progress() if sys.stderr.isatty() else None
        run_roster(settings, workers=workers, report=progress)
        if progress is not None:
            progress.close()
    except (SettingsError, RecoveryError, *EXPECTED) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    except OSError as wrong:
        msg = f"{wrong.filename}: {wrong.strerror}" if wrong.filename else str(wrong)
        raise click.ClickException(msg) from wrong
    _print_summary(settings.target, settings.run)


def _beside(target: Path | Address) -> Path:
    if isinstance(target, Address):
        msg = f"{target} is no file that state could lie beside: give --recovery FOLDER"
        raise click.UsageError(msg)
    return default_recovery(target, RosterStep.FLOW)


def _print_summary(warehouse: Target, run: str) -> None:
    """Print what a run came to, from its row in flow_run, and what the warehouse now holds."""
    reader = open_reader(warehouse)
    try:
        row = reader.execute(
            "SELECT status, lines, applied, alerts_raised, alerts_cleared, dead_letters, "
            "epoch(updated_at - started_at) FROM flow_run WHERE run = ?",
            [run],
        ).fetchone()
        held = reader.execute(
            "SELECT (SELECT count(*) FROM forecast_15m), count(*), count(DISTINCT store), "
            "(SELECT count(*) FROM staffing_alert WHERE status <> 'cleared') FROM staffing_15m"
        ).fetchone()
    finally:
        reader.close()
    assert held is not None
    forecasts, staffed, stores, open_alerts = held
    shown = (
        f"{forecasts:,} quarters forecast, {staffed:,} staffed of {stores:,} stores, "
        f"{open_alerts:,} alerts open in {warehouse}"
    )
    if row is None:
        click.echo(f"nothing new to read; {shown}")
        return
    status, lines, applied, raised, cleared, dead, seconds = row
    click.echo(f"{status} after {seconds:.1f} s: {lines:,} windows read, {applied:,} final")
    click.echo(f"  alerts       {raised:,} raised, {cleared:,} cleared")
    click.echo(f"  dead letters {dead:,}")
    click.echo(f"  there        {shown}")
