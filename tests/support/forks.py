"""Processes of tests, forked from a server that has imported everything once.

Python keeps one such server a process and one list of what it imports. So all that any test runs in
a process of its own is listed here: of two lists in two modules the one imported last would win.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
PATHS = (ROOT, ROOT / "tests" / "support")
IMPORTED = (
    "pytest",  # the parent's main module, where there is one worker
    "pandas",  # DuckDB imports it at the first parameter of a statement
    "infra.commands.run",
    "infra.commands.holds",
    "flow_driver",
    "hook_crash",
    "channel_crash",
    "keeper_process",
    "coupon_clients",
)

_context = get_context("forkserver")
_context.set_forkserver_preload(list(IMPORTED))


def forkserver() -> ForkServerContext:
    """Where processes, and what they share, are made; its server runs when this returns."""
    with patch.dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, PATHS))):
        ensure_running()
    return _context


def start_forked(run: Callable[..., object], *arguments: Any) -> BaseProcess:
    """A process that calls `run` with these arguments."""
    process = forkserver().Process(target=run, args=arguments)
    process.start()
    return process
