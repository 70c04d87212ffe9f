"""Runs the coupons flow in this process."""

from __future__ import annotations

from flows.coupons import TOPICS_WRITTEN, build
from flows.engine_run import run_dataflow
from flows.parts import Report
from flows.process import prepare_process
from flows.ready import make_ready
from flows.settings import SettingsError, StockSettings
from flows.steps import CouponsStep
from schemas.coupons_file import CouponsProblem


def run_coupons(settings: StockSettings, *, workers: int = 1, report: Report | None = None) -> None:
    """Check source, warehouse and recovery folder, then run to the end or until stopped.

    Raises:
        SettingsError: the file of coupons is wrong.
        SourceError: there is nothing to read.
        BrokerError: the brokers or topics cannot be reached.
        WarehouseError: the warehouse cannot be used.
    """
    make_ready(settings, CouponsStep.FLOW, TOPICS_WRITTEN)
    try:
        flow = build(settings, prepare_process(), report)
    except CouponsProblem as wrong:
        raise SettingsError(str(wrong)) from wrong
    run_dataflow(flow, settings, workers=workers)
