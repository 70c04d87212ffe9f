"""A real warehouse server as a process, on free ports, stopped by its own process id."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa

from schemas.tables import Table
from sinks.warehouse.address import Address
from sinks.warehouse.client import Warehouse

PROGRAM = "from infra.cli import main; main()"
WRITE_TOKEN = "flows-may-do-everything"
READ_TOKEN = "dashboards-may-only-read"


def rows_of(table: Table, *rows: dict[str, Any]) -> pa.Table:
    """Rows of a table as Arrow."""
    return pa.Table.from_pylist(list(rows), schema=table.arrow())


def content(warehouse: Warehouse, table: Table) -> list[tuple[Any, ...]]:
    """All rows of a table, in one order."""
    return warehouse.execute(f"SELECT * FROM {table.name} ORDER BY ALL")


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class ServedWarehouse:
    """`tillflow warehouse serve` over a file of a folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.file = folder / "served.duckdb"
        self._ports = free_ports(2)
        self._options = options
        self._log = folder / "server.log"
        for name, token in (("token", WRITE_TOKEN), ("read-token", READ_TOKEN)):
            (folder / f"served.duckdb.{name}").write_text(f"# for tests\n{token}\n")
        self.start()

    @property
    def address(self) -> Address:
        """Where flows write."""
        return Address(host="127.0.0.1", port=self._ports[0], token=WRITE_TOKEN)

    @property
    def reader(self) -> Address:
        """Where dashboards read."""
        return Address(host="127.0.0.1", port=self._ports[1], token=READ_TOKEN)

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text()

    def start(self) -> None:
        """Start it (again) and wait until it says that it serves."""
        port, read_port = map(str, self._ports)
        command = [sys.executable, "-c", PROGRAM, "warehouse", "serve", str(self.file)]
        command += ["--port", port, "--read-port", read_port, *self._options]
        with self._log.open("wb") as errors:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        assert self._process.stdout is not None
        for _ in range(3):
            assert self._process.stdout.readline(), self.log

    def stop(self) -> int:
        """End it with SIGTERM and return its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> int:
        self._process.send_signal(number)
        self._process.communicate(timeout=60)
        return self._process.returncode

    def __enter__(self) -> ServedWarehouse:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        wrong: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self.kill()
