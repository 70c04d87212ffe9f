"""Processes by number and start, so that a number that was given out again is never mistaken."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

POLL_SECONDS = 0.05
_PROC = Path("/proc")


class Process(msgspec.Struct, frozen=True):
    """One process: `started` differs when the number is given to another one."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return started(self.pid) == self.started

    def signal(self, number: int) -> None:
        """Send it a signal, unless it is gone."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def process(pid: int) -> Process:
    """The process that has this number now."""
    return Process(pid, started(pid) or "gone")


def started(pid: int) -> str | None:
    """What tells this process from others of the same number; None when none runs."""
    if not (_PROC / "self" / "stat").exists():
        return _asked(pid)
    try:
        # The name in brackets may hold anything; behind the last bracket come state, ..., start.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    if fields[0] in "ZX":
        return None
    boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{fields[19]}"


def _asked(pid: int) -> str | None:
    """The same where there is no /proc."""
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    state, _, start = answer.partition(" ")
    return None if not state or state.startswith("Z") else start.strip()


def end(processes: Sequence[Process], grace_seconds: float) -> None:
    """Ask processes to end and wait for them; what does not within the time is killed."""
    for one in processes:
        one.signal(signal.SIGTERM)
    if not wait_gone(processes, grace_seconds):
        for one in processes:
            one.signal(signal.SIGKILL)
        wait_gone(processes, grace_seconds)


def wait_gone(processes: Sequence[Process], seconds: float) -> bool:
    """Wait until none of them runs; whether that came within the time."""
    until = time.monotonic() + seconds
    while any(one.alive for one in processes):
        if time.monotonic() > until:
            return False
        time.sleep(POLL_SECONDS)
    return True
