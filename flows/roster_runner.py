"""Runs the roster flow in this process."""

from __future__ import annotations

from flows.engine_run import run_dataflow
from flows.parts import Report
from flows.process import prepare_process
from flows.ready import make_ready
from flows.roster import WAREHOUSE, build
from flows.settings import StockSettings
from flows.steps import RosterStep
from sinks.roster.records import TOPICS_WRITTEN


def run_roster(settings: StockSettings, *, workers: int = 1, report: Report | None = None) -> None:
    """Check source, warehouse and recovery folder, then run to the end or until stopped.

    Raises:
        SourceError: there is nothing to read.
        BrokerError: the brokers or topics cannot be reached.
        WarehouseError: the warehouse cannot be used.
        SettingsError: a roster file or the weather cannot be read.
    """
    files = settings.source != WAREHOUSE
    make_ready(settings, RosterStep.FLOW, TOPICS_WRITTEN, shards=1, files=files)
    run_dataflow(build(settings, prepare_process(), report), settings, workers=workers)
