"""The services of the stack: what each needs, how it is started, and how it shows that it is well.

To add one, add a function here that makes it and its name to `plan`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.settings import SettingsError, kafka_settings
from infra.stack.brokers import Broker, find_broker
from infra.stack.health import (
    Probe,
    broker_health,
    make_topics,
    reads_health,
    redis_health,
    warehouse_health,
)
from infra.stack.ports import HOST
from infra.stack.record import StackError, StackSettings
from infra.stack.redis_servers import find_redis, redis_command
from infra.stack.reports import Report, stock_report, transfers_report
from schemas.topics import TOPICS
from sources.kafka.settings import KafkaSettings

# In the order in which they are shown; each is the key of --port-NAME.
PORTS = ("kafka", "controller", "redis", "warehouse", "read", "api", "links")
ALL_TOPICS = tuple(topic.name for topic in TOPICS)
STOCK_GROUP = "tillflow-stock"
# What belongs to the log: it is of no use any more when the log is gone.
OF_THE_LOG = ("broker", "warehouse", "state", "redis", "hooks")
FLOW_GRACE_SECONDS = 60.0
SERVER_GRACE_SECONDS = 30.0
# A memory-only broker has nothing to save, and would wait for clients that never hang up.
TANSU_GRACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Service:
    """One process that is looked after.

    `needs`: services that are started before it and stopped after it. `prepare` runs before each
    start, `finish` and `probe` until it is well; `report` is for people. `volatile`: what it had is
    gone with its process, and all that was built on it begins anew.
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


def plan(
    settings: StackSettings, ports: Mapping[str, int], environ_home: str | None = None
) -> Plan:
    """What is to be started.

    Raises:
        StackError: something that is needed is not on this machine.
    """
    try:
        given = kafka_settings(settings.kafka) if settings.kafka else None
    except SettingsError as wrong:
        raise StackError(str(wrong)) from None
    where = Where(
        settings=settings,
        ports=ports,
        kafka=given or KafkaSettings(f"{HOST}:{ports['kafka']}"),
        redis=settings.redis or f"redis://{HOST}:{ports['redis']}/0",
    )
    services, notes = [], []
    if given is None:
        broker = find_broker(settings.kafka_home, settings.data, environ_home)
        name, volatile = broker.name, broker.volatile
        notes.append(f"broker: {name}: {broker.consequence}")
        services.append(_broker(where, broker))
    else:
        name, volatile = f"given: {settings.kafka}", False
        notes.append(f"broker: {settings.kafka}, which runs already and is left alone")
    if settings.redis is None:
        services.append(_redis(where, find_redis(settings.redis_server)))
    services += [_warehouse(where), _stock(where, with_lag=not volatile), _transfers(where)]
    if settings.hooks is not None:
        services.append(_hooks(where, settings.hooks))
    else:
        notes.append("hooks: none, for no --hooks FILE says who is told of alerts")
    environment = {
        "TILLFLOW_KAFKA": where.kafka.brokers,
        "TILLFLOW_WAREHOUSE": where.reader,
        "TILLFLOW_WAREHOUSE_TOKEN_FILE": str(where.token("dashboards").resolve()),
    }
    return Plan(tuple(services), name, volatile, tuple(notes), environment)


def tillflow(*arguments: object) -> tuple[str, ...]:
    """The command line of a command of ours, as a service."""
    # -P: a folder that happens to be called like a package of ours must not be taken for it.
    start = (sys.executable, "-P", "-m", "infra.stack.child")
    return (*start, *(str(argument) for argument in arguments))


def _broker(where: Where, broker: Broker) -> Service:
    folder = where.data / "broker"
    port, controller = where.ports["kafka"], where.ports["controller"]
    return Service(
        name="broker",
        command=tuple(broker.command(folder, port, controller)),
        probe=broker_health(where.kafka, ALL_TOPICS),
        address=where.kafka.brokers,
        prepare=lambda: broker.prepare(folder, port, controller),
        finish=lambda: make_topics(where.kafka, ALL_TOPICS),
        volatile=broker.volatile,
        grace_seconds=TANSU_GRACE_SECONDS if broker.volatile else SERVER_GRACE_SECONDS,
        watches_supervisor=False,
    )


def _redis(where: Where, binary: Path) -> Service:
    folder = where.data / "redis"
    return Service(
        name="redis",
        command=tuple(redis_command(binary, folder, where.ports["redis"])),
        probe=redis_health(where.redis, where.settings.pool),
        address=where.redis,
        prepare=lambda: folder.mkdir(parents=True, exist_ok=True),
        grace_seconds=SERVER_GRACE_SECONDS,
        watches_supervisor=False,
    )


def _warehouse(where: Where) -> Service:
    serve = ("warehouse", "serve", where.data / "warehouse" / "warehouse.duckdb")
    ports = ("--port", where.ports["warehouse"], "--read-port", where.ports["read"])
    flows, dashboards = where.token("flows"), where.token("dashboards")
    return Service(
        name="warehouse",
        command=tillflow(*serve, *ports, "--token-file", flows, "--read-token-file", dashboards),
        probe=warehouse_health(where.reader, dashboards),
        address=f"{where.warehouse} (dashboards {where.reader})",
        grace_seconds=SERVER_GRACE_SECONDS,
    )


def _flow_options(where: Where, state: str) -> list[object]:
    options: list[object] = ["--kafka", where.kafka.brokers, "--create-topics"]
    options += ["--warehouse", where.warehouse, "--token-file", where.token("flows")]
    options += ["--recovery", where.data / "state" / state]
    if where.settings.config is not None:
        options += ["--config", where.settings.config]
    return options


def _stock(where: Where, *, with_lag: bool) -> Service:
    return Service(
        name="stock",
        command=tillflow("run", "stock", "--group", STOCK_GROUP, *_flow_options(where, "stock")),
        probe=reads_health(),
        report=stock_report(
            where.reader, where.token("dashboards"), where.kafka, STOCK_GROUP, with_lag=with_lag
        ),
        needs=where.needs("broker", "warehouse"),
    )


def _transfers(where: Where) -> Service:
    return Service(
        name="transfers",
        command=tillflow("transfers", "run", *_flow_options(where, "transfers")),
        probe=reads_health(),
        report=transfers_report(where.reader, where.token("dashboards")),
        needs=where.needs("broker", "warehouse"),
    )


def _hooks(where: Where, config: Path) -> Service:
    from schemas.hooks_file import HooksProblem, load_hooks  # noqa: PLC0415

    folder = where.data / "hooks"
    options: list[object] = ["--config", config, "--store", folder / "hooks.sqlite"]
    options += ["--kafka", where.kafka.brokers]
    address = ""
    try:
        with_links = load_hooks(config).links is not None
    except HooksProblem as wrong:
        raise StackError(str(wrong)) from None
    if with_links:
        address = f"{HOST}:{where.ports['links']}"
        options += ["--listen", address]
    return Service(
        name="hooks",
        command=tillflow("hooks", "run", *options),
        probe=reads_health(),
        address=f"http://{address}" if address else "",
        needs=where.needs("broker"),
        prepare=lambda: folder.mkdir(parents=True, exist_ok=True),
    )
