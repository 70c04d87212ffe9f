"""Where alerts of the pool's checks go: onto the log, into the warehouse, or both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from serving.drift import WarehouseView
from sinks.kafka.events import alerts
from sinks.kafka.producer import TopicWriter
from sources.kafka.settings import KafkaSettings

Tell = Callable[[list[tuple[Any, ...]]], None]


def teller(settings: KafkaSettings | None, rows: WarehouseView | None) -> Tell:
    """What tells alerts and returns when they are kept; rows of stock_alert, instants in us."""
    writer = None if settings is None else TopicWriter(settings)

    def tell(told: list[tuple[Any, ...]]) -> None:
        if writer is not None:
            for record in alerts(told):
                writer.write(*record)
            writer.flush()
        if rows is not None:
            rows.tell(told)

    return tell


def silent(told: list[tuple[Any, ...]]) -> None:
    """A check that is asked to change nothing tells nothing."""
