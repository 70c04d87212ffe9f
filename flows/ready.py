"""Makes everything ready that a flow needs, before anything of it starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flows.recovery import FORMAT, About, prepare_recovery
from flows.settings import SHARDS, StockSettings
from flows.steps import StockStep
from sinks.warehouse.client import Warehouse
from sources.files import find_files
from sources.kafka.topics import check_topics


def default_recovery(warehouse: Path, flow: str = StockStep.FLOW) -> Path:
    """The recovery folder of a warehouse that was given none: beside it, apart from other flows'.

    The stock flow's is `WAREHOUSE.recovery`, that of another flow `WAREHOUSE.FLOW.recovery`.
    """
    name = "" if flow == StockStep.FLOW else f".{flow}"
    return warehouse.with_name(f"{warehouse.name}{name}.recovery")


def make_ready(
    settings: StockSettings,
    flow: str,
    topics_written: tuple[str, ...],
    *,
    shards: int = SHARDS,
    files: bool = True,
    folder_by_default: bool = True,
    note: Callable[[Warehouse, Path], None] | None = None,
) -> None:
    """Check the source or the topics, and make warehouse and recovery folder ready.

    `files`: without brokers the flow reads files. `folder_by_default`: a flow that was given no
    recovery folder takes default_recovery, and may start that anew. `note` is called last, with
    the warehouse and the recovery folder, where there is one.

    Raises:
        SourceError: there is nothing to read.
        BrokerError: the brokers or topics cannot be reached.
        WarehouseError: the warehouse cannot be used.
        RecoveryError: the recovery folder belongs to something else.
    """
    if settings.kafka is not None:
        topics = (*settings.topics, *topics_written)
        check_topics(settings.kafka, topics, create=settings.create_topics)
    elif files:
        find_files(settings.source)
    warehouse = Warehouse(settings.target)
    try:
        warehouse.execute(
            "UPDATE flow_run SET status = 'interrupted' WHERE flow = ? AND status = 'running'",
            [str(flow)],
        )
        if settings.recovery is None:
            return
        about = About(format=FORMAT, flow=flow, shards=shards, warehouse=warehouse.identity)
        default = default_recovery(settings.warehouse, flow)
        beside = folder_by_default and settings.recovery == default
        prepare_recovery(settings.recovery, about, beside_warehouse=beside)
        if note is not None:
            note(warehouse, settings.recovery)
    finally:
        warehouse.close()
