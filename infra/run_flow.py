"""What every `tillflow run FLOW` does: settings of what was asked, the run, what it came to."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import click
from msgspec.structs import replace

from flows.engine_run import EXPECTED
from flows.parts import Report
from flows.ready import default_recovery
from flows.recovery import RecoveryError
from flows.runner import FlowError
from flows.settings import SettingsError, StockSettings, kafka_settings, load_chain
from infra.problems import problems_told
from infra.progress import Progress
from sinks.warehouse.address import Address, Target
from sinks.warehouse.client import open_reader

EPOCH_SECONDS = 10.0
# Making progress durable stops everything for a moment. What happens now should seldom meet that,
# and half a minute of the log is read again within seconds.
LIVE_EPOCH_SECONDS = 30.0


class Runner(Protocol):
    """Runs a flow to its end or until it is stopped."""

    def __call__(self, settings: StockSettings, *, workers: int, report: Report | None) -> None:
        """`report` is told the counts now and then."""


class Done(NamedTuple):
    """What a run came to: its row in flow_run."""

    status: str
    lines: int
    events: int
    others: int
    applied: int
    duplicates: int
    dead_letters: int
    alerts_raised: int
    alerts_cleared: int
    seconds: float


def run_flow(
    flow: str,
    given: Mapping[str, Any],
    runner: Runner,
    *,
    otherwise: str = "",
    shows_progress: bool = True,
) -> StockSettings:
    """Run a flow as the options of `run_options` ask for it; answers its settings.

    `otherwise`: what is read without --source and --kafka; empty where one of them is needed.

    Raises:
        click.ClickException: options exclude each other, or something is in the way of the run.
    """
    _check(given, one_is_needed=not otherwise)
    with problems_told(SettingsError, RecoveryError, FlowError, *EXPECTED):
        settings = _settings(flow, given, otherwise)
        load_chain(settings.config)
        with _progress(shows_progress) as report:
            runner(settings, workers=given["workers"], report=report)
    return settings


def _check(given: Mapping[str, Any], *, one_is_needed: bool) -> None:
    if given["no_recovery"] and given["recovery"] is not None:
        msg = "--recovery and --no-recovery exclude each other"
        raise click.UsageError(msg)
    source, kafka = bool(given["source"]), bool(given["kafka"])
    if one_is_needed and source == kafka:
        msg = "give --source or --kafka (or TILLFLOW_KAFKA), one of the two"
        raise click.UsageError(msg)
    if source and kafka:
        msg = "--source and --kafka (or TILLFLOW_KAFKA) exclude each other"
        raise click.UsageError(msg)


def _settings(flow: str, given: Mapping[str, Any], otherwise: str) -> StockSettings:
    kafka, epoch_seconds = given["kafka"], given["epoch_seconds"]
    settings = StockSettings(
        source=given["source"] or ("" if kafka else otherwise),
        kafka=kafka_settings(kafka) if kafka else None,
        topics=given["topics"],
        group=given["group"],
        create_topics=given["create_topics"],
        until_end=given["until_end"],
        warehouse=given["warehouse"],
        warehouse_token_file=given["token_file"],
        config=given["config"],
        recovery=given["recovery"],
        follow=given["follow"],
        since=given.get("since"),
        journeys=given.get("journeys"),
        health=given.get("health"),
        coupons=given.get("coupons"),
        epoch_seconds=EPOCH_SECONDS if epoch_seconds is None else epoch_seconds,
    )
    if epoch_seconds is None and kafka and settings.live:
        settings = replace(settings, epoch_seconds=LIVE_EPOCH_SECONDS)
    if not given["no_recovery"] and settings.recovery is None:
        settings = replace(settings, recovery=_beside(settings.target, flow))
    return settings


def _beside(target: Target, flow: str) -> Path:
    if isinstance(target, Address):
        msg = f"{target} is no file that state could lie beside: give --recovery FOLDER"
        raise click.UsageError(msg)
    return default_recovery(Path(target), flow)


@contextmanager
def _progress(wanted: bool) -> Iterator[Progress | None]:
    if not (wanted and sys.stderr.isatty()):
        yield None
        return
    progress = Progress()
    try:
        yield progress
    finally:
        progress.close()


def came_to(settings: StockSettings, held: str) -> tuple[Done | None, tuple[Any, ...]]:
    """What a run came to, None when it read nothing; and the one row that `held` asks for."""
    reader = open_reader(settings.target)
    try:
        row = reader.execute(
            "SELECT status, lines, events, others, applied, duplicates, dead_letters, "
            "alerts_raised, alerts_cleared, epoch(updated_at - started_at) "
            "FROM flow_run WHERE run = ?",
            [settings.run],
        ).fetchone()
        there = reader.execute(held).fetchone()
    finally:
        reader.close()
    assert there is not None
    return (None if row is None else Done(*row)), there


def print_counts(done: Done, others: str = "other flows'") -> None:
    """Print what was read and what became of it; `others` says whose events were left."""
    rate = done.events / max(done.seconds, 1e-9)
    click.echo(f"{done.status} after {done.seconds:.1f} s: {done.lines:,} lines, {rate:,.0f}/s")
    click.echo(f"  events       {done.events:,}  ({others} {done.others:,})")
    click.echo(f"  applied      {done.applied:,}  (known already {done.duplicates:,})")
    click.echo(f"  dead letters {done.dead_letters:,}")
