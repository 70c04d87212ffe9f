"""What a service is, and the addresses and folders that services share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.stack.health import Probe
from infra.stack.ports import HOST
from infra.stack.record import StackSettings
from infra.stack.reports import Report
from sources.kafka.settings import KafkaSettings

FLOW_GRACE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """One process that is looked after.

    `needs`: services that are started before it and stopped after it. `prepare` runs before each
    start, `finish` and `probe` until it is well; `report` is for people. `volatile`: what it had is
    gone with its process, and all that was built on it begins anew. `environ`: what it finds in its
    environment beside what all do.
    """

    name: str
    command: tuple[str, ...]
    probe: Probe
    report: Report | None = None
    address: str = ""
    needs: tuple[str, ...] = ()
    prepare: Callable[[], None] | None = None
    finish: Callable[[], None] | None = None
    volatile: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    grace_seconds: float = FLOW_GRACE_SECONDS
    # Ours ends by itself when the supervisor is gone.
    watches_supervisor: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """The services in the order of their start, and what a person should know about them."""

    services: tuple[Service, ...]
    broker: str
    volatile: bool
    notes: tuple[str, ...] = ()
    # What other programs need to reach the stack: names and values for the environment.
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Where:
    """Addresses and folders that the services share."""

    settings: StackSettings
    ports: Mapping[str, int]
    pool: str
    kafka: KafkaSettings
    redis: str

    @property
    def data(self) -> Path:
        """The folder of the stack."""
        return self.settings.data

    @property
    def warehouse(self) -> str:
        """Where flows write."""
        return f"quack://{HOST}:{self.ports['warehouse']}"

    @property
    def reader(self) -> str:
        """Where dashboards read."""
        return f"quack://{HOST}:{self.ports['read']}"

    def token(self, name: str) -> Path:
        """The file of a token of the warehouse."""
        return self.data / "tokens" / name

    def needs(self, *names: str) -> tuple[str, ...]:
        """Those of the names that are services here and not servers that run already."""
        given = {"broker": self.settings.kafka, "redis": self.settings.redis}
        return tuple(name for name in names if not given.get(name))


def tillflow(*arguments: object) -> tuple[str, ...]:
    """The command line of a command of ours, as a service."""
    # -P: a folder that happens to be called like a package of ours must not be taken for it.
    start = (sys.executable, "-P", "-m", "infra.stack.child")
    return (*start, *(str(argument) for argument in arguments))
