"""What is written down about a stack: `stack.json` of its folder, and the lock of who runs it."""

from __future__ import annotations

import fcntl
import os
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from flows.settings import to_path
from infra.stack.processes import Process

S = TypeVar("S", bound=msgspec.Struct)

FORMAT = 1
FILE = "stack.json"
LOCK = "stack.lock"

StackState = Literal["starting", "ready", "stopping", "stopped", "failed"]
ServiceState = Literal["waiting", "starting", "running", "restarting", "failed", "stopped"]


class StackError(Exception):
    """The stack cannot be used as it is; the message says why and what to do."""


class StackSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a stack is started with; no secret is among it.

    `kafka` and `redis` are addresses of servers that run already, instead of own ones. `ports`
    are those that were asked for, `without` the services that are left out, `also` those that run
    on request; `journeys` and `health` are for members, `channels` is for who sends to them,
    `coupons` for the coupons flow and the desk.
    `start_seconds`: how long each service may take until it is healthy.
    """

    data: Path
    config: Path | None = None
    hooks: Path | None = None
    journeys: Path | None = None
    health: Path | None = None
    channels: Path | None = None
    coupons: Path | None = None
    keys: Path | None = None
    kafka: str | None = None
    kafka_home: Path | None = None
    redis: str | None = None
    redis_server: Path | None = None
    pool: str | None = None
    ports: dict[str, int] = {}
    without: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    start_seconds: float = 90.0


class ServiceRecord(msgspec.Struct, kw_only=True):
    """One service as the supervisor last saw it; `log_from` is where this start begins."""

    name: str
    state: ServiceState = "waiting"
    process: Process | None = None
    since: datetime | None = None
    restarts: int = 0
    address: str = ""
    log: str = ""
    log_from: int = 0
    said: str = ""


class StackRecord(msgspec.Struct, kw_only=True):
    """A stack as its supervisor last wrote it down."""

    format: int = FORMAT
    state: StackState = "starting"
    supervisor: Process
    since: datetime
    settings: StackSettings
    ports: dict[str, int] = {}
    broker: str = ""
    # KAFKA_HOME of who started it.
    kafka_home: str | None = None
    notes: tuple[str, ...] = ()
    services: list[ServiceRecord] = []
    problem: str = ""

    @property
    def crashed(self) -> bool:
        """Whether it says that it runs while its supervisor is gone."""
        return self.state not in ("stopped", "failed") and not self.supervisor.alive

    @property
    def running(self) -> bool:
        """Whether its supervisor is at work."""
        return self.state not in ("stopped", "failed") and self.supervisor.alive

    def left_over(self) -> dict[str, Process]:
        """Services that still run; of a stack without a supervisor nobody looks after them."""
        there = {one.name: one.process for one in self.services if one.process is not None}
        return {name: one for name, one in there.items() if one.alive}


def read_record(data: Path) -> StackRecord | None:
    """What is written down in a folder; None where no stack ever was.

    Raises:
        StackError: it is damaged, or made by another tillflow.
    """
    path = data / FILE
    try:
        return read_json(path, StackRecord)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as wrong:
        msg = f"{path} cannot be read ({wrong}): stop what it may name and delete it"
        raise StackError(msg) from None


def write_record(data: Path, record: StackRecord) -> None:
    """Write it down, whole or not at all."""
    write_json(data / FILE, record)


def write_json(path: Path, what: msgspec.Struct) -> None:
    """Write a file anew, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(what, enc_hook=str)) + b"\n")
    fresh.rename(path)


def read_json(path: Path, kind: type[S]) -> S:
    """Read such a file."""
    return msgspec.json.decode(path.read_bytes(), type=kind, dec_hook=to_path)


class StackLock:
    """Whoever holds it runs the stack of a folder; the system lets go of it with the process."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(data / LOCK, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self) -> bool:
        """Whether it is ours now."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go of it."""
        os.close(self._handle)
