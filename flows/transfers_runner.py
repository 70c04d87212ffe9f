"""Runs the transfers flow in this process, until it is stopped."""

from __future__ import annotations

from datetime import timedelta

from bytewax.errors import BytewaxRuntimeError
from bytewax.run import cli_main

from flows.process import prepare_process
from flows.recovery import FORMAT, About, prepare_recovery, recovery_config
from flows.settings import SHARDS, StockSettings
from flows.steps import TransferStep
from flows.transfers import build
from sinks.journal import JournalError
from sinks.kafka.producer import DeliveryError
from sinks.transfers.records import TOPICS_WRITTEN
from sinks.warehouse.client import Warehouse, WarehouseError
from sources.kafka.errors import BrokerError
from sources.kafka.topics import check_topics

# What a person can put right by the message alone.
EXPECTED = (BrokerError, DeliveryError, WarehouseError, JournalError)


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
    recovery = None
    if settings.recovery is not None:
        about = About(format=FORMAT, flow=TransferStep.FLOW, shards=SHARDS, warehouse=identity)
        prepare_recovery(settings.recovery, about, beside_warehouse=False)
        recovery = recovery_config(settings.recovery)
    try:
        cli_main(
            build(settings, prepare_process()),
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
