"""Runs the transfers flow in this process, until it is stopped."""

from __future__ import annotations

from flows.engine_run import run_dataflow
from flows.process import prepare_process
from flows.ready import make_ready
from flows.settings import StockSettings
from flows.steps import TransferStep
from flows.transfers import build
from sinks.transfers.records import TOPICS_WRITTEN


def run_transfers(settings: StockSettings, *, workers: int = 1) -> None:
    """Check topics, warehouse and recovery folder, then run until SIGTERM or SIGINT.

    Raises:
        BrokerError: the brokers or topics cannot be reached.
        WarehouseError: the warehouse cannot be used.
    """
    assert settings.kafka is not None
    make_ready(settings, TransferStep.FLOW, TOPICS_WRITTEN, folder_by_default=False)
    run_dataflow(build(settings, prepare_process()), settings, workers=workers)
