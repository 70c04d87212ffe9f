"""Starts the services in order, starts again what dies, and stops them in order."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from infra.stack.processes import Process, end, process
from infra.stack.record import ServiceRecord, ServiceState, StackError
from infra.stack.services import Service
from sources.kafka.errors import BrokerError

POLL_SECONDS = 0.1
# A service that dies so often, without having been well for a while in between, is left alone.
MOST_RESTARTS = 5
FIRST_PAUSE_SECONDS = 0.5
WELL_SECONDS = 60.0
LOG_BYTES = 20_000_000
TAIL_LINES = 15
# What a probe is shown of the log: what a service says at its start.
SAID_BYTES = 65_536


class _Running:
    """One service and its process."""

    def __init__(self, service: Service, log: Path) -> None:
        self.service, self.log = service, log
        self.record = ServiceRecord(name=service.name, address=service.address, log=str(log))
        self.popen: subprocess.Popen[bytes] | None = None
        self.again_at = 0.0
        self.until = 0.0
        self.well_since: float | None = None
        self.in_a_row = 0

    def start(self, environ: Mapping[str, str], seconds: float) -> None:
        """Start its process; its log goes on where it ended."""
        if self.service.prepare is not None:
            self.service.prepare()
        with suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_BYTES:
                self.log.rename(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self.record.log_from = log.tell()
            self.popen = subprocess.Popen(
                self.service.command,
                stdin=subprocess.PIPE if self.service.watches_supervisor else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**environ, **self.service.environ},
                # Ctrl-C at a terminal is for the supervisor alone: it stops them in order.
                process_group=0,
            )
        self.record.process = process(self.popen.pid)
        self.until = time.monotonic() + seconds
        self.well_since = None
        self.become("starting")

    def become(self, state: ServiceState, said: str = "") -> None:
        """Write down a new state."""
        self.record.state, self.record.said = state, said
        self.record.since = datetime.now(UTC)

    def ended(self) -> int | None:
        """Its exit code once it has ended."""
        return None if self.popen is None else self.popen.poll()

    def look(self) -> bool:
        """Ask a service that starts whether it is well; whether it is now."""
        well = False
        if self.service.finish is not None:
            # A broker answers before it has what is to be made in it.
            with suppress(BrokerError):
                self.service.finish()
        health = self.service.probe(said_since(self.log, self.record.log_from))
        well = health.well
        self.record.said = health.detail
        if well:
            self.well_since = time.monotonic()
            self.become("running", health.detail)
        return well

    def forget(self) -> None:
        """Its process is gone."""
        if self.popen is not None and self.popen.stdin is not None:
            self.popen.stdin.close()
        self.popen = None
        self.record.process = None


class Supervisor:
    """Looks after services until it is told to stop.

    `changed` is called with what is to be written down whenever something happened; `anew` before
    everything starts again because a volatile service has died.
    """

    def __init__(
        self,
        services: Sequence[Service],
        logs: Path,
        *,
        environ: Mapping[str, str],
        start_seconds: float,
        changed: Callable[[], None],
        anew: Callable[[], object],
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._all = {one.name: _Running(one, logs / f"{one.name}.log") for one in services}
        self._environ, self._seconds = environ, start_seconds
        self._changed, self._anew = changed, anew

    @property
    def records(self) -> list[ServiceRecord]:
        """What is to be written down about the services."""
        return [one.record for one in self._all.values()]

    def start(self, stop: Event) -> None:
        """Start all, each when those it needs are healthy; returns early when told to stop.

        Raises:
            StackError: one ended or was not healthy in time; the end of its log says why.
        """
        waiting = list(self._all.values())
        starting: list[_Running] = []
        while (waiting or starting) and not stop.is_set():
            for one in [each for each in waiting if self._may_start(each)]:
                waiting.remove(one)
                starting.append(one)
                one.start(self._environ, self._seconds)
                self._changed()
            for one in list(starting):
                self._check_start(one)
                if one.look():
                    starting.remove(one)
                    self._changed()
            stop.wait(POLL_SECONDS)

    def watch(self, stop: Event) -> None:
        """Start again what dies, until told to stop.

        Raises:
            StackError: everything had to begin anew, and could not.
        """
        while not stop.wait(POLL_SECONDS):
            if any(one.service.volatile and one.ended() is not None for one in self._all.values()):
                self._begin_anew(stop)
                continue
            for one in self._all.values():
                self._look_after(one)

    def stop(self) -> None:
        """Stop all, each before those it needs."""
        while left := [one for one in self._all.values() if one.popen is not None]:
            needed = {name for one in left for name in one.service.needs}
            wave = [one for one in left if one.service.name not in needed]
            _end(wave)
            for one in wave:
                one.become("stopped")
            self._changed()

    def _may_start(self, one: _Running) -> bool:
        return all(self._all[name].record.state == "running" for name in one.service.needs)

    def _check_start(self, one: _Running) -> None:
        code = one.ended()
        if code is None and time.monotonic() < one.until:
            return
        name, log = one.service.name, one.log
        if code is None:
            what = f"was not healthy within {self._seconds:g} s ({one.record.said})"
        else:
            what = f"ended at its start ({_how(code)})"
        one.become("failed", what)
        msg = f"{name} {what}; the end of {log}:\n{tail(log, one.record.log_from)}"
        raise StackError(msg)

    def _look_after(self, one: _Running) -> None:
        now = time.monotonic()
        state = one.record.state
        if state == "restarting":
            if now >= one.again_at:
                one.record.restarts += 1
                one.start(self._environ, self._seconds)
                self._changed()
            return
        if state not in ("starting", "running"):
            return
        code = one.ended()
        if code is None and state == "starting":
            if one.look():
                self._changed()
                return
            if now < one.until:
                return
            one.record.said = f"was not healthy within {self._seconds:g} s"
            _end([one])
        elif code is None:
            if one.in_a_row and one.well_since and now - one.well_since > WELL_SECONDS:
                one.in_a_row = 0
            return
        self._died(one, code)

    def _died(self, one: _Running, code: int | None) -> None:
        why = one.record.said if code is None else f"ended ({_how(code)})"
        one.forget()
        if one.in_a_row >= MOST_RESTARTS:
            last = tail(one.log, one.record.log_from, lines=1)
            words = f"{why}, {MOST_RESTARTS + 1} times in a row, and is left alone now: {last}"
            one.become("failed", words)
        else:
            one.again_at = time.monotonic() + FIRST_PAUSE_SECONDS * 2**one.in_a_row
            one.in_a_row += 1
            one.become("restarting", why)
        self._changed()

    def _begin_anew(self, stop: Event) -> None:
        """A volatile service died: what was built on it has no ground any more."""
        for one in self._all.values():
            if one.ended() is not None:
                one.forget()
            one.record.restarts += 1
        self.stop()
        self._anew()
        for one in self._all.values():
            one.become("waiting")
        self.start(stop)
        self._changed()


def _end(wave: Sequence[_Running]) -> None:
    grace = max((one.service.grace_seconds for one in wave), default=0.0)
    quick = [one for one in wave if one.service.grace_seconds < grace]
    end_of: list[Process] = [one.record.process for one in quick if one.record.process]
    rest = [one.record.process for one in wave if one not in quick and one.record.process]
    if end_of:
        end(end_of, min(one.service.grace_seconds for one in quick))
    end(rest, grace)
    for one in wave:
        if one.popen is not None:
            one.popen.wait()
        one.forget()


def child_environment(environ: Mapping[str, str], *, keep_kafka: bool) -> dict[str, str]:
    """What services get of the environment: settings of ours come by their command lines alone.

    How to be admitted to brokers that run already is the exception: it comes from nowhere else.
    """
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("TILLFLOW_") or (keep_kafka and name.startswith("TILLFLOW_KAFKA_"))
    } | {"PYTHONUNBUFFERED": "1"}


def said_since(log: Path, since: int) -> str:
    """What a service has logged since it was started, as far as it matters at its start."""
    try:
        with log.open("rb") as file:
            file.seek(since)
            return file.read(SAID_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def tail(log: Path, since: int, lines: int = TAIL_LINES) -> str:
    """The last lines of a log, of this start."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(since, size - SAID_BYTES))
            said = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        said = []
    return "\n".join(f"  {line}" for line in said[-lines:]) or "  (nothing)"


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
