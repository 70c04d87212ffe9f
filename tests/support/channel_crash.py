"""A channels worker in a process of its own that kills itself at a named step."""

from __future__ import annotations

import logging
import os
import signal
import threading
from pathlib import Path

from channel_world import ENV, configured
from forks import start_forked

from schemas.journey_rules import JourneysConfig
from sinks.channels.telling import FileTeller
from sinks.channels.worker import Worker
from sinks.sending.posting import Poster
from sources.decisions import FileInbox

# Every point between two durable steps of worker and sender.
STEPS = ("read", "heard", "committed", "intended", "answered", "recorded", "told")

# What the clock on the wall says is no part of it.
RULES = JourneysConfig(quiet_hours=None)

Poster(timeout=1, idempotent=False).close()


def run_worker(address: str, folder: Path, step: str = "", sandbox: Path | None = None) -> int:
    """The exit code of a worker that reads `events.jsonl` to its end; -9 when it killed itself."""
    process = start_forked(_work, address, folder, step, sandbox)
    process.join(60)
    code = process.exitcode
    assert code is not None, "the worker does not end"
    process.close()
    return code


def _work(address: str, folder: Path, step: str, sandbox: Path | None) -> None:
    def made(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    logging.disable(logging.CRITICAL)
    made_of = configured(address, folder, sandbox)
    teller = FileTeller(folder / "report.jsonl")
    store = folder / "channels.sqlite"
    with Worker(made_of, RULES, store, ENV, teller, steps=made) as worker:
        inbox = FileInbox(folder / "events.jsonl", worker.store.positions())
        worker.run(inbox, threading.Event(), once=True)
        inbox.close()
    teller.close()
