"""Runs the transfers flow in this process, until it is stopped."""

from __future__ import annotations

from flows.engine_run import run_dataflow
from flows.process import prepare_process
from flows.recovery import FORMAT, About, prepare_recovery
from flows.settings import SHARDS, StockSettings
from flows.steps import TransferStep
from flows.transfers import build
from sinks.transfers.records import TOPICS_WRITTEN
from sinks.warehouse.client import Warehouse
from sources.kafka.topics import check_topics


def run_transfers(settings: StockSettings, *, workers: int = 1) -> None:
    """Check topics, warehouse and recovery folder, then run until SIGTERM or SIGINT.

    Raises:
        BrokerError: the brokers or topics cannot be reached.
        WarehouseError: the warehouse cannot be used.
    """
    assert settings.kafka is not None
    topics = (*settings.topics, *TOPICS_WRITTEN)
    check_topics(settings.kafka, topics, create=settings.create_topics)
    warehouse = Warehouse(settings.target)
    identity = warehouse.identity
    warehouse.close()
    if settings.recovery is not None:
        about = About(format=FORMAT, flow=TransferStep.FLOW, shards=SHARDS, warehouse=identity)
        prepare_recovery(settings.recovery, about, beside_warehouse=False)
    run_dataflow(build(settings, prepare_process()), settings, workers=workers)
