"""Runs the footfall flow in this process."""

from __future__ import annotations

from flows.engine_run import run_dataflow
from flows.footfall import build
from flows.parts import Report
from flows.process import prepare_process
from flows.ready import make_ready
from flows.settings import StockSettings
from flows.steps import FootfallStep
from operators.engine import system_clock
from sinks.footfall.records import TOPICS_WRITTEN


def run_footfall(
    settings: StockSettings, *, workers: int = 1, report: Report | None = None
) -> None:
    """Check source, warehouse and recovery folder, then run to the end or until stopped.

    Raises:
        SourceError: there is nothing to read.
        BrokerError: the brokers or topics cannot be reached.
        WarehouseError: the warehouse cannot be used.
    """
    make_ready(settings, FootfallStep.FLOW, TOPICS_WRITTEN)
    running, floor = None, system_clock()
    if settings.recovery is not None:
        running = settings.recovery / "running"
        # It is there since a run that did not come to its end, of which nobody knows what it said.
        floor = floor if running.exists() else 0
        running.touch()
    run_dataflow(build(settings, prepare_process(), report, floor), settings, workers=workers)
    if running is not None:
        running.unlink()
