"""Runs the members flow in this process."""

from __future__ import annotations

from flows.engine_run import run_dataflow
from flows.members import build
from flows.parts import Report
from flows.process import prepare_process
from flows.ready import make_ready
from flows.settings import StockSettings
from flows.steps import MembersStep
from sinks.members.records import TOPICS_WRITTEN


def run_members(settings: StockSettings, *, workers: int = 1, report: Report | None = None) -> None:
    """Check source, warehouse and recovery folder, then run to the end or until stopped.

    Raises:
        SourceError: there is nothing to read.
        BrokerError: the brokers or topics cannot be reached.
        WarehouseError: the warehouse cannot be used.
    """
    make_ready(settings, MembersStep.FLOW, TOPICS_WRITTEN)
    run_dataflow(build(settings, prepare_process(), report), settings, workers=workers)
