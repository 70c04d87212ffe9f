"""`tillflow run members`: purchases and refunds to live segments."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from msgspec.structs import replace

from flows.engine_run import EXPECTED
from flows.members import GROUP, TOPICS
from flows.members_runner import run_members
from flows.ready import default_recovery
from flows.recovery import RecoveryError
from flows.settings import SettingsError, StockSettings, kafka_settings, load_chain
from flows.steps import MembersStep
from infra.progress import Progress
from infra.run_options import run_options
from sinks.warehouse.address import Address, Target
from sinks.warehouse.client import open_reader

EPOCH_SECONDS = 10.0
LIVE_EPOCH_SECONDS = 30.0


@click.command()
@run_options(TOPICS, GROUP, "WAREHOUSE.members.recovery")
def members(
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
    epoch_seconds: float | None,
) -> None:
    """Purchases to live segments: run again at any time, it goes on where it was."""
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
        progress = Progress() if sys.stderr.isatty() else None
        run_members(settings, workers=workers, report=progress)
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
    return default_recovery(target, MembersStep.FLOW)


def _print_summary(warehouse: Target, run: str) -> None:
    """Print what a run came to, from its row in flow_run."""
    reader = open_reader(warehouse)
    try:
        row = reader.execute(
            "SELECT status, lines, events, others, applied, duplicates, dead_letters, "
            "epoch(updated_at - started_at) FROM flow_run WHERE run = ?",
            [run],
        ).fetchone()
        held = reader.execute(
            "SELECT count(*) FILTER (status = 'active'), count(*) FILTER (status = 'merged'), "
            "count(*) FILTER (status = 'erased') FROM member_state"
        ).fetchone()
    finally:
        reader.close()
    assert held is not None
    active, merged, erased = held
    shown = f"{active:,} in {warehouse}, {merged:,} ids merged into others, {erased:,} erased"
    if row is None:
        click.echo(f"nothing new to read; members: {shown}")
        return
    status, lines, events, others, applied, duplicates, dead, seconds = row
    rate = events / max(seconds, 1e-9)
    click.echo(f"{status} after {seconds:.1f} s: {lines:,} lines, {rate:,.0f}/s")
    click.echo(f"  events       {events:,}  (other flows' and of nobody {others:,})")
    click.echo(f"  applied      {applied:,}  (known already {duplicates:,})")
    click.echo(f"  dead letters {dead:,}")
    click.echo(f"  members      {shown}")
