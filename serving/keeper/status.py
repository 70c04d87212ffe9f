"""How the keeper is doing, as one small JSON document: in a file, and in Redis."""

from __future__ import annotations

import logging
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import msgspec

LOG = logging.getLogger("tillflow.keeper")


class Report(msgspec.Struct, kw_only=True):
    """What the keeper says of itself; times are UTC, lags in ms."""

    pool: str
    role: str = "starting"
    since: datetime
    updated_at: datetime
    epoch: str | None = None
    gate: str = "unknown"
    rebuilt_at: datetime | None = None
    outbox: int = 0
    oldest_waits_ms: float | None = None
    relayed: int = 0
    last_relay_at: datetime | None = None
    last_relay_lag_ms: float | None = None
    positions: int = 0
    last_position_at: datetime | None = None
    last_position_lag_ms: float | None = None
    swept: int = 0
    moved: int = 0
    coupons_relayed: int = 0
    coupons_swept: int = 0
    open_risks: int = 0
    unreadable: int = 0
    trouble: str | None = None
    trouble_at: datetime | None = None


class Status:
    """Gathers the report from all threads and writes the file."""

    def __init__(self, pool: str, file: Path | None = None) -> None:
        now = datetime.now(UTC)
        self._lock = threading.Lock()
        self._file = file
        self._warned = False
        self.report = Report(pool=pool, since=now, updated_at=now)

    def relayed(self, entries: int, told_at: datetime) -> None:
        """So many entries are on the log; the last was told at that time."""
        now = datetime.now(UTC)
        with self._lock:
            self.report.relayed += entries
            self.report.last_relay_at = now
            self.report.last_relay_lag_ms = _lag(now, told_at.timestamp() * 1000)

    def projected(self, positions: int, written_ms: int) -> None:
        """So many positions are in Redis; the last was written to the log then."""
        now = datetime.now(UTC)
        with self._lock:
            self.report.positions += positions
            self.report.last_position_at = now
            if written_ms > 0:
                self.report.last_position_lag_ms = _lag(now, written_ms)

    def count(
        self,
        *,
        swept: int = 0,
        moved: int = 0,
        unreadable: int = 0,
        coupons_relayed: int = 0,
        coupons_swept: int = 0,
    ) -> None:
        """More of these."""
        with self._lock:
            self.report.swept += swept
            self.report.moved += moved
            self.report.unreadable += unreadable
            self.report.coupons_relayed += coupons_relayed
            self.report.coupons_swept += coupons_swept

    def trouble(self, words: str) -> None:
        """What goes wrong just now."""
        with self._lock:
            self.report.trouble, self.report.trouble_at = words, datetime.now(UTC)

    def now(self, **values: object) -> bytes:
        """The report with these values, as JSON; written to the file, if there is one."""
        with self._lock:
            for name, value in values.items():
                setattr(self.report, name, value)
            self.report.updated_at = datetime.now(UTC)
            body = msgspec.json.encode(self.report)
        if self._file is not None:
            self._write(self._file, body)
        return body

    def _write(self, file: Path, body: bytes) -> None:
        # In one step, so that nobody reads half of it; next to it, so that it is one file system.
        half = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            half.write_bytes(body + b"\n")
            half.replace(file)
            self._warned = False
        except OSError as wrong:
            if not self._warned:
                LOG.warning("the status cannot be written to %s: %s", file, wrong.strerror)
            self._warned = True


def _lag(now: datetime, then_ms: float) -> float:
    return round(now.timestamp() * 1000 - then_ms, 1)
