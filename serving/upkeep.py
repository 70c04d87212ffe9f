"""What a warehouse server does now and then: history that is old enough is removed."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from sinks.warehouse.client import Warehouse
from sinks.warehouse.retention import retain
from sinks.warehouse.upkeep import fold

_LOG = logging.getLogger("tillflow.warehouse")


class Upkeep:
    """Removes history every so often, beside the requests that are served."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        file: Path,
        kept: Mapping[str, int],
        export: Path | None,
        every_seconds: float,
    ) -> None:
        self._warehouse = Warehouse(file, connection=connection.cursor())
        self._kept = kept
        self._export = export
        self._every = every_seconds
        self._next = time.monotonic()

    def tend(self) -> None:
        """Remove what is due, if it is time; what goes wrong is told and tried again later."""
        now = time.monotonic()
        if not self._kept or now < self._next:
            return
        self._next = now + self._every
        try:
            removed = retain(self._warehouse, self._kept, datetime.now(UTC), self._export)
            fold(self._warehouse)
        except (duckdb.Error, OSError) as wrong:
            _LOG.warning("history could not be removed this time: %s", wrong)
            return
        _LOG.info("history removed: %s", removed)
