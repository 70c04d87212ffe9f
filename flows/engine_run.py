"""Hands a dataflow to the engine, and unwraps what the engine wraps an error in."""

from __future__ import annotations

from datetime import timedelta

from bytewax.dataflow import Dataflow
from bytewax.errors import BytewaxRuntimeError
from bytewax.run import cli_main

from flows.recovery import recovery_config
from flows.settings import StockSettings
from operators.members.rules import RulesError
from sinks.journal import JournalError
from sinks.kafka.producer import DeliveryError
from sinks.warehouse.client import WarehouseError
from sources.files import SourceError
from sources.kafka.errors import BrokerError

# What a person can put right by the message alone.
EXPECTED = (SourceError, BrokerError, DeliveryError, WarehouseError, JournalError, RulesError)


def run_dataflow(
    flow: Dataflow,
    settings: StockSettings,
    *,
    workers: int = 1,
    process: int | None = None,
    addresses: list[str] | None = None,
) -> None:
    """Run it with worker threads, as one process of a cluster or alone, until it ends.

    Raises:
        EXPECTED: one of these, as the part that failed said it; anything else as the engine says.
    """
    try:
        cli_main(
            flow,
            workers_per_process=workers,
            process_id=process,
            addresses=addresses,
            epoch_interval=timedelta(seconds=settings.epoch_seconds),
            recovery_config=settings.recovery and recovery_config(settings.recovery),
        )
    except BytewaxRuntimeError as wrong:
        # The engine says in which step, its causes say what it was.
        cause = wrong.__cause__
        while cause is not None and not isinstance(cause, EXPECTED):
            cause = cause.__cause__
        if cause is None:
            raise
        raise cause from None
