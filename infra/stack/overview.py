"""How a stack is at this moment: what its supervisor wrote down, and what its services answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.stack.catalogue import plan
from infra.stack.record import ServiceRecord, StackError, StackRecord
from infra.stack.services import Service
from infra.stack.supervisor import said_since


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One service: `well` means that it answered just now."""

    name: str
    state: str
    well: bool
    pid: int | None
    since: datetime | None
    restarts: int
    address: str
    detail: str
    log: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole stack."""

    state: str
    words: str
    broker: str
    logs: str
    services: tuple[ServiceView, ...]

    @property
    def well(self) -> bool:
        """Whether it runs and every service answers."""
        return self.state == "ready" and all(one.well for one in self.services)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        found = asdict(self) | {"well": self.well}
        for one in found["services"]:
            one["since"] = one["since"].isoformat() if one["since"] else None
        return found


def look_at(record: StackRecord) -> Overview:
    """Ask every service of a stack that runs, all at the same time."""
    state, words = _state(record)
    services: dict[str, Service] = {}
    if record.running:
        try:
            planned = plan(record.settings, record.ports, record.kafka_home)
            services = {one.name: one for one in planned.services}
        except StackError as wrong:
            words = str(wrong)
    with ThreadPoolExecutor(max_workers=max(len(record.services), 1)) as threads:
        views = tuple(threads.map(lambda one: _view(one, services.get(one.name)), record.services))
    return Overview(state, words, record.broker, str(record.settings.data / "logs"), views)


def _state(record: StackRecord) -> tuple[str, str]:
    if record.crashed:
        left = len(record.left_over())
        return "crashed", (
            f"its supervisor is gone, {left} of its processes still run: `tillflow up` ends them "
            "and starts again, `tillflow down` only ends them"
        )
    if record.problem:
        return record.state, record.problem
    return record.state, f"since {record.since:%Y-%m-%d %H:%M:%S} UTC, broker {record.broker}"


def _view(one: ServiceRecord, service: Service | None) -> ServiceView:
    alive = one.process is not None and one.process.alive
    state: str = one.state
    if one.process is not None and not alive and state in ("running", "starting"):
        state = "dead"
    elif alive and service is None:
        state = "left over"
    well, detail = False, one.said if state != "running" else ""
    if service is not None and state == "running":
        health = service.probe(said_since(Path(one.log), one.log_from))
        well, detail = health.well, health.detail
        if well and service.report is not None:
            detail = service.report()
    return ServiceView(
        name=one.name,
        state=state,
        well=well,
        pid=one.process.pid if one.process is not None and alive else None,
        since=one.since,
        restarts=one.restarts,
        address=one.address,
        detail=detail,
        log=one.log,
    )
