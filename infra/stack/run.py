"""Runs the stack of a folder: takes its lock, tidies up after a crash, looks after it, stops it.

    python -m infra.stack.run DIR

is the supervisor that `tillflow up` starts; what to start it finds in the folder.
"""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from infra.stack.catalogue import OF_THE_LOG, PORTS, SERVERS, plan
from infra.stack.ports import choose_ports
from infra.stack.processes import end, process
from infra.stack.record import (
    StackError,
    StackLock,
    StackRecord,
    StackSettings,
    StackState,
    read_json,
    read_record,
    write_record,
)
from infra.stack.services import Plan
from infra.stack.supervisor import Supervisor, child_environment

LOG = logging.getLogger("tillflow.stack")
WANTED = "wanted.json"
SURVIVOR_GRACE_SECONDS = 20.0


def run_stack(settings: StackSettings, told: Callable[[StackRecord], None], stop: Event) -> None:
    """Run it until `stop` is set; `told` hears of every change.

    Raises:
        StackError: it runs already, cannot be started, or did not start.
    """
    data = settings.data
    lock = StackLock(data)
    try:
        if not lock.take():
            msg = f"the stack in {data} runs already: tillflow status --data {data}"
            raise StackError(msg)
        before = read_record(data)
        clean_up(before)
        ports = choose_ports(PORTS, settings.ports, before.ports if before else {})
        planned = plan(settings, ports, os.environ.get("KAFKA_HOME"))
        _check_same_log(before, planned, data)
        if planned.volatile:
            put_aside(data)
        _Stack(settings, ports, planned, told).run(stop)
    finally:
        lock.close()


class _Stack:
    """A planned stack and its record."""

    def __init__(
        self,
        settings: StackSettings,
        ports: dict[str, int],
        planned: Plan,
        told: Callable[[StackRecord], None],
    ) -> None:
        self._told = told
        self._data = settings.data
        self._environment = planned.environment
        self.record = StackRecord(
            supervisor=process(os.getpid()),
            since=datetime.now(UTC),
            settings=settings,
            ports=ports,
            broker=planned.broker,
            kafka_home=os.environ.get("KAFKA_HOME"),
            notes=planned.notes,
        )
        self._supervisor = Supervisor(
            planned.services,
            self._data / "logs",
            environ=child_environment(os.environ, keep_kafka=settings.kafka is not None),
            start_seconds=settings.start_seconds,
            changed=self._changed,
            anew=lambda: put_aside(self._data),
        )

    def run(self, stop: Event) -> None:
        """Start, look after, stop."""
        problem = ""
        try:
            self._become("starting")
            self._supervisor.start(stop)
            if not stop.is_set():
                write_environment(self._data, self._environment)
                self._become("ready")
                self._supervisor.watch(stop)
        except (StackError, OSError) as wrong:
            problem = str(wrong)
            raise
        finally:
            self.record.problem = problem
            self._become("stopping")
            self._supervisor.stop()
            self._become("failed" if problem else "stopped")

    def _become(self, state: StackState) -> None:
        self.record.state = state
        self.record.since = datetime.now(UTC)
        self._changed()

    def _changed(self) -> None:
        self.record.services = self._supervisor.records
        write_record(self._data, self.record)
        self._told(self.record)


def clean_up(before: StackRecord | None) -> None:
    """End what a supervisor that crashed has left behind, flows before servers."""
    left = before.left_over() if before is not None else {}
    if not left:
        return
    LOG.warning("ends %s that a supervisor that died left behind", ", ".join(left))
    end([one for name, one in left.items() if name not in SERVERS], SURVIVOR_GRACE_SECONDS)
    end([one for name, one in left.items() if name in SERVERS], SURVIVOR_GRACE_SECONDS)


def put_aside(data: Path) -> Path | None:
    """Move what belongs to a log that is gone into a folder of its own; None if there is none."""
    there = [data / name for name in OF_THE_LOG if (data / name).exists()]
    if not there:
        return None
    aside = data / "earlier" / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}"
    aside.mkdir(parents=True)
    for path in there:
        shutil.move(path, aside / path.name)
    LOG.warning("the log of the last run is gone: what was built on it is now in %s", aside)
    return aside


def write_environment(data: Path, environment: object) -> None:
    """A file for a shell to read, so that other commands find the stack."""
    assert isinstance(environment, dict)
    lines = [f"export {name}={shlex.quote(text)}\n" for name, text in environment.items()]
    (data / "stack.env").write_text("".join(lines), "utf-8")


def _check_same_log(before: StackRecord | None, planned: Plan, data: Path) -> None:
    """State that was built on one log must not meet another one."""
    if before is None or not (data / "state").exists():
        return
    was_volatile = before.broker.startswith("Tansu")
    if was_volatile and not planned.volatile:
        put_aside(data)
        return
    same = before.broker.startswith("Apache Kafka") == planned.broker.startswith("Apache Kafka")
    if not was_volatile and (planned.volatile or not same or _given(before) != _given(planned)):
        msg = (
            f"{data} was built on the log of {before.broker}, now it would be {planned.broker}: "
            "give the options it was started with, or another --data"
        )
        raise StackError(msg)


def _given(one: StackRecord | Plan) -> str:
    return one.broker if one.broker.startswith("given") else ""


def on_signals() -> Event:
    """An event that SIGTERM and SIGINT set."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def main(data: Path) -> None:
    """The supervisor as a process of its own."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    # Its lines are one a request.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stop = on_signals()
    settings = read_json(data / WANTED, StackSettings)
    try:
        run_stack(settings, log_changes(), stop)
    except StackError as wrong:
        LOG.error("%s", wrong)
        sys.exit(1)


def log_changes() -> Callable[[StackRecord], None]:
    """Says each change of a service once."""
    known: dict[str, str] = {}

    def told(record: StackRecord) -> None:
        for one in record.services:
            now = f"{one.state}{f': {one.said}' if one.said else ''}"
            if one.state != "waiting" and known.get(one.name) != now:
                known[one.name] = now
                LOG.info("%s %s", one.name, now)

    return told


if __name__ == "__main__":
    main(Path(sys.argv[1]))
