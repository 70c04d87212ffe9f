"""A hooks worker in a process of its own that kills itself at a named step."""

from __future__ import annotations

import logging
import os
import signal
import threading
from pathlib import Path

from forks import start_forked
from hook_alerts import configured, environment, route, writer
from hook_server import HookServer

from operators.notify.routing import Zones
from sinks.hooks.worker import Worker
from sinks.sending.posting import Poster
from sources.alerts import FileInbox

# Every point between two durable steps of worker and sender.
STEPS = ("read", "heard", "committed", "intended", "answered", "recorded")

# Read once here; the forked processes have them.
writer()
Poster(timeout=1, idempotent=False).close()


def run_worker(address: str, events: Path, store: Path, channel: str, step: str = "") -> int:
    """The exit code of a worker that reads the file to its end; -9 when it killed itself."""
    process = start_forked(_work, address, events, store, channel, step)
    process.join(60)
    code = process.exitcode
    assert code is not None, "the worker does not end"
    process.close()
    return code


def _work(address: str, events: Path, store: Path, channel: str, step: str) -> None:
    def made(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    logging.disable(logging.CRITICAL)
    server = HookServer(address=address)
    hooks = configured(server, route("all", channel))
    zones = Zones("Asia/Shanghai")
    with Worker(hooks, store, zones, writer(), environment(server), made=made) as worker:
        inbox = FileInbox(events, worker.store.positions())
        worker.run(inbox, threading.Event(), once=True)
        inbox.close()
