"""Runs the roster flow in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flows.engine_run import run_dataflow
from flows.process import prepare_process
from flows.recovery import FORMAT, About, prepare_recovery
from flows.roster import WAREHOUSE, build
from flows.settings import StockSettings
from flows.steps import RosterStep
from sinks.roster.records import TOPICS_WRITTEN
from sinks.warehouse.client import Warehouse
from sinks.warehouse.runs import Counts
from sources.files import find_files
from sources.kafka.topics import check_topics


def default_recovery(warehouse: Path) -> Path:
    """The recovery folder of a warehouse that was given none: beside it, apart from the others'."""
    return warehouse.with_name(warehouse.name + ".roster.recovery")


def run_roster(
    settings: StockSettings, *, workers: int = 1, report: Callable[[Counts], None] | None = None
) -> None:
    """Check source, warehouse and recovery folder, then run to the end or until stopped.

    Raises:
        SourceError: there is nothing to read.
        BrokerError: the brokers or topics cannot be reached.
        WarehouseError: the warehouse cannot be used.
        SettingsError: a roster file or the weather cannot be read.
    """
    if settings.kafka is not None:
        topics = (*settings.topics, *TOPICS_WRITTEN)
        check_topics(settings.kafka, topics, create=settings.create_topics)
    elif settings.source != WAREHOUSE:
        find_files(settings.source)
    warehouse = Warehouse(settings.target)
    try:
        warehouse.execute(
            "UPDATE flow_run SET status = 'interrupted' WHERE flow = ? AND status = 'running'",
            [RosterStep.FLOW.value],
        )
        identity = warehouse.identity
    finally:
        warehouse.close()
    if settings.recovery is not None:
        about = About(format=FORMAT, flow=RosterStep.FLOW, shards=1, warehouse=identity)
        beside = settings.recovery == default_recovery(settings.warehouse)
        prepare_recovery(settings.recovery, about, beside_warehouse=beside)
    run_dataflow(build(settings, prepare_process(), report), settings, workers=workers)
