"""Runs the stock flow: in this process, or as several processes of one cluster."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from flows.engine_run import EXPECTED, run_dataflow
from flows.process import prepare_process
from flows.ready import make_ready
from flows.recovery import held_locks
from flows.settings import StockSettings, load_chain
from flows.steps import StockStep
from flows.stock import build
from flows.told import note_told
from sinks.kafka.events import TOPICS_WRITTEN
from sinks.warehouse.client import Warehouse
from sinks.warehouse.writer import Counts

# Once one process has failed the others wait for it for ever: so long they may say what they saw.
PATIENCE_SECONDS = 3.0
POLL_SECONDS = 0.05
STDIN = 0


class FlowError(Exception):
    """A process of the flow ended in an error."""


def prepare(settings: StockSettings) -> None:
    """Check the source and make warehouse and recovery folder ready, before anything starts."""

    def note(warehouse: Warehouse, folder: Path) -> None:
        note_told(warehouse, folder, load_chain(settings.config).stock.horizon_hours)

    make_ready(settings, StockStep.FLOW, TOPICS_WRITTEN, note=note)


def run_here(
    settings: StockSettings,
    *,
    workers: int = 1,
    process: int | None = None,
    addresses: list[str] | None = None,
    report: Callable[[Counts], None] | None = None,
) -> None:
    """Run the flow in this process, with worker threads, as one process of a cluster or alone."""
    flow = build(settings, prepare_process(), report)
    run_dataflow(flow, settings, workers=workers, process=process, addresses=addresses)


def run_processes(settings: StockSettings, *, processes: int, workers: int = 1) -> None:
    """Run the flow as processes of one cluster on this machine and wait for them.

    Raises:
        FlowError: one of them failed; the others are ended.
    """
    addresses = ";".join(f"127.0.0.1:{port}" for port in _free_ports(processes))
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "flows.runner", str(number), addresses, str(workers)],
            env={**os.environ, **settings.environment()},
            stdin=subprocess.PIPE,
            pass_fds=held_locks(),
        )
        for number in range(processes)
    ]

    def pass_on(number: int, _frame: object) -> None:
        for child in children:
            child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    try:
        codes = _wait(children)
    finally:
        for child in children:
            child.kill()
            child.wait()
    if any(codes):
        msg = f"a process of the flow failed (exit codes {codes}); see its message above"
        raise FlowError(msg)


def _wait(children: Sequence[subprocess.Popen[bytes]]) -> list[int | None]:
    """Exit codes of all; None for one that had to be given up because another failed."""
    patience = PATIENCE_SECONDS
    while True:
        codes = [child.poll() for child in children]
        if None not in codes or patience < 0:
            return codes
        if any(codes):
            patience -= POLL_SECONDS
        time.sleep(POLL_SECONDS)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went."""
    # Raw, for a thread that holds a buffered standard input would be in the way of a normal end.
    while os.read(STDIN, 1):
        pass
    os._exit(1)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _main(arguments: list[str]) -> None:
    number, addresses, workers = arguments
    if stat.S_ISFIFO(os.fstat(STDIN).st_mode):
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        run_here(
            StockSettings.from_env(),
            workers=int(workers),
            process=int(number),
            addresses=addresses.split(";"),
        )
    except EXPECTED as wrong:
        sys.exit(f"Error: {wrong}")


if __name__ == "__main__":
    _main(sys.argv[1:])
