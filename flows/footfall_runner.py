"""Runs the footfall flow in this process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bytewax.errors import BytewaxRuntimeError
from bytewax.run import cli_main

from flows.footfall import build
from flows.process import prepare_process
from flows.recovery import FORMAT, About, prepare_recovery, recovery_config
from flows.settings import SHARDS, StockSettings
from flows.steps import FootfallStep
from operators.engine import system_clock
from sinks.footfall.records import TOPICS_WRITTEN
from sinks.journal import JournalError
from sinks.kafka.producer import DeliveryError
from sinks.warehouse.client import Warehouse, WarehouseError
from sinks.warehouse.runs import Counts
from sources.blocks import SourceError, find_files
from sources.kafka.errors import BrokerError
from sources.kafka.topics import check_topics

# What a person can put right by the message alone.
EXPECTED = (SourceError, BrokerError, DeliveryError, WarehouseError, JournalError)


def default_recovery(warehouse: Path) -> Path:
    """The recovery folder of a warehouse that was given none: beside it, apart from stock's."""
    return warehouse.with_name(warehouse.name + ".footfall.recovery")


def run_footfall(
    settings: StockSettings, *, workers: int = 1, report: Callable[[Counts], None] | None = None
) -> None:
    """Check source, warehouse and recovery folder, then run to the end or until stopped.

    Raises:
        SourceError: there is nothing to read.
        BrokerError: the brokers or topics cannot be reached.
        WarehouseError: the warehouse cannot be used.
    """
    _prepare(settings)
    recovery, running, floor = None, None, system_clock()
    if settings.recovery is not None:
        recovery = recovery_config(settings.recovery)
        running = settings.recovery / "running"
        # It is there since a run that did not come to its end, of which nobody knows what it said.
        floor = floor if running.exists() else 0
        running.touch()
    try:
        cli_main(
            build(settings, prepare_process(), report, floor),
            workers_per_process=workers,
            epoch_interval=timedelta(seconds=settings.epoch_seconds),
            recovery_config=recovery,
        )
    except BytewaxRuntimeError as wrong:
        # The engine says in which step, its causes say what it was.
        cause = wrong.__cause__
        while cause is not None and not isinstance(cause, EXPECTED):
            cause = cause.__cause__
        if cause is None:
            raise
        raise cause from None
    if running is not None:
        running.unlink()


def _prepare(settings: StockSettings) -> None:
    if settings.kafka is None:
        find_files(settings.source)
    else:
        topics = (*settings.topics, *TOPICS_WRITTEN)
        check_topics(settings.kafka, topics, create=settings.create_topics)
    warehouse = Warehouse(settings.target)
    try:
        warehouse.execute(
            "UPDATE flow_run SET status = 'interrupted' WHERE flow = ? AND status = 'running'",
            [FootfallStep.FLOW.value],
        )
        identity = warehouse.identity
    finally:
        warehouse.close()
    if settings.recovery is not None:
        about = About(format=FORMAT, flow=FootfallStep.FLOW, shards=SHARDS, warehouse=identity)
        beside = settings.recovery == default_recovery(settings.warehouse)
        prepare_recovery(settings.recovery, about, beside_warehouse=beside)
