"""The supervisor over small real processes: order, restarts, giving up, and a log that is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from flow_driver import wait_until

from infra.stack import supervisor as supervising
from infra.stack.health import says_health
from infra.stack.processes import started
from infra.stack.record import ServiceRecord, StackError
from infra.stack.services import Service
from infra.stack.supervisor import Supervisor


def script(name: str, text: str, *needs: str) -> Service:
    """A service of some lines of shell that says when it is ready."""
    return Service(
        name=name,
        command=("/bin/sh", "-c", text),
        probe=says_health("ready"),
        needs=needs,
        grace_seconds=5.0,
        watches_supervisor=False,
    )


class Watched:
    """A supervisor at work in a thread, and what it wrote down on the way."""

    def __init__(self, folder: Path, *services: Service, seconds: float = 20.0) -> None:
        self.states: list[tuple[str, str]] = []
        self.anew = 0
        self.stop = threading.Event()
        self.supervisor = Supervisor(
            services,
            folder,
            environ=os.environ,
            start_seconds=seconds,
            changed=self._changed,
            anew=self._anew,
        )

    def _changed(self) -> None:
        for one in self.supervisor.records:
            if (one.name, one.state) not in self.states[-len(self.supervisor.records) :]:
                self.states.append((one.name, one.state))

    def _anew(self) -> None:
        self.anew += 1

    def of(self, name: str) -> ServiceRecord:
        [found] = [one for one in self.supervisor.records if one.name == name]
        return found

    def pid(self, name: str) -> int:
        found = self.of(name).process
        return found.pid if found is not None else 0

    def __enter__(self) -> Watched:
        self.supervisor.start(self.stop)
        self._thread = threading.Thread(target=self.supervisor.watch, args=(self.stop,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join()
        self.supervisor.stop()


LIVES = "echo ready; exec sleep 600"


def test_each_starts_after_and_ends_before_what_it_needs(tmp_path: Path) -> None:
    log = tmp_path / "order"

    def noted(name: str, *needs: str) -> Service:
        ends = f"trap 'echo -{name} >> {log}; exit 0' TERM"
        lives = "while :; do sleep 0.05; done"
        return script(name, f"{ends}; echo +{name} >> {log}; echo ready; {lives}", *needs)

    services = [noted("api", "keeper"), noted("keeper", "redis"), noted("redis")]
    with Watched(tmp_path, *services) as watched:
        pids = [watched.pid(one.name) for one in services]
        assert all(started(pid) for pid in pids)
    assert log.read_text().split() == ["+redis", "+keeper", "+api", "-api", "-keeper", "-redis"]
    assert [one.state for one in watched.supervisor.records] == ["stopped"] * 3
    assert not any(started(pid) for pid in pids)


def test_what_dies_is_started_again_and_left_alone_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "FIRST_PAUSE_SECONDS", 0.001)
    falls = script("falls", "echo ready; sleep 0.3; echo no more paper; exit 3")
    with Watched(tmp_path, script("stands", LIVES), falls) as watched:
        stands = watched.pid("stands")
        wait_until(lambda: watched.of("falls").state == "failed", "it was never left alone")
        said = watched.of("falls").said
        assert watched.of("falls").restarts == supervising.MOST_RESTARTS
        assert "exit code 3" in said
        assert "no more paper" in said
        assert (watched.pid("stands"), watched.of("stands").state) == (stands, "running")


def test_one_death_is_forgotten_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(supervising, "WELL_SECONDS", 0.0)
    monkeypatch.setattr(supervising, "MOST_RESTARTS", 1)
    with Watched(tmp_path, script("flow", LIVES)) as watched:
        for deaths in (1, 2, 3):
            pid = watched.pid("flow")
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda n=deaths: watched.of("flow").restarts == n, "not started again")  # type: ignore[misc]
            wait_until(lambda: watched.of("flow").state == "running", "not well again")
            # One more round, in which it is seen to be well.
            time.sleep(supervising.POLL_SECONDS * 3)


def test_all_begin_anew_when_the_log_is_gone(tmp_path: Path) -> None:
    broker = replace(script("broker", LIVES), volatile=True)
    with Watched(tmp_path, broker, script("flow", LIVES, "broker")) as watched:
        flow = watched.pid("flow")
        os.kill(watched.pid("broker"), signal.SIGKILL)
        wait_until(
            lambda: watched.anew == 1 and watched.of("flow").state == "running", "not begun anew"
        )
        assert watched.pid("flow") != flow
        assert not started(flow)


@pytest.mark.parametrize(
    ("text", "seconds", "why"),
    [
        ("echo the drawer is stuck >&2; exit 4", 20.0, "ended at its start (exit code 4)"),
        ("echo the drawer is stuck; exec sleep 600", 0.5, "was not healthy within 0.5 s"),
    ],
)
def test_a_start_that_fails_shows_the_end_of_the_log(
    tmp_path: Path, text: str, seconds: float, why: str
) -> None:
    watched = Watched(tmp_path, script("till", text), seconds=seconds)
    with pytest.raises(StackError, match="the drawer is stuck") as refused:
        watched.supervisor.start(watched.stop)
    assert why in str(refused.value)
    watched.supervisor.stop()
    assert watched.of("till").process is None


def test_a_service_ends_when_its_supervisor_is_gone(tmp_path: Path) -> None:
    with closing(socket.socket()) as one, closing(socket.socket()) as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1], two.getsockname()[1]]
    file = tmp_path / "w.duckdb"
    words = ["warehouse", "serve", str(file), "--port", str(ports[0]), "--read-port", str(ports[1])]
    command = [sys.executable, "-P", "-m", "infra.stack.child", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert b"is served" in child.stdout.readline()
        child.stdin.close()
        assert child.stdout.read().endswith(b"is closed\n")
        assert child.wait() == 0
