"""The services of the stack: what each needs, how it is started, how it shows that it is well.

To add one, add a function here that makes it, and its name to `plan`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from flows.settings import SettingsError, kafka_settings, load_chain
from infra.stack.brokers import Broker, find_broker
from infra.stack.channels import NAME as CHANNELS
from infra.stack.channels import channels
from infra.stack.flows import MORE_FLOWS, stock, transfers
from infra.stack.health import (
    broker_health,
    http_health,
    make_topics,
    reads_health,
    redis_health,
    says_health,
    warehouse_health,
)
from infra.stack.ports import HOST
from infra.stack.record import StackError, StackSettings
from infra.stack.redis_servers import find_redis, redis_command
from infra.stack.reports import keeper_report
from infra.stack.services import Plan, Service, Where, tillflow
from schemas.hooks_file import HooksProblem, load_hooks
from schemas.topics import TOPICS
from serving.holds.keys import SCOPES, KeysError, new_key
from sources.kafka.settings import KafkaSettings

# In the order in which they are shown; each is the NAME of --port-NAME.
PORTS = ("kafka", "controller", "redis", "warehouse", "read", "api", "links")
OPTIONAL = ("stock", "transfers", "keeper", "api", "hooks")
# What is started only when it is asked for.
ON_REQUEST = (*MORE_FLOWS, CHANNELS)
# What flows write to and read from: they end before these do.
SERVERS = ("broker", "redis", "warehouse")
ALL_TOPICS = tuple(topic.name for topic in TOPICS)
# What belongs to the log: it is of no use any more when the log is gone.
OF_THE_LOG = ("broker", "warehouse", "state", "redis", "hooks", "channels")
SERVER_GRACE_SECONDS = 30.0
# A memory-only broker has nothing to save, and would wait for clients that never hang up.
TANSU_GRACE_SECONDS = 1.0


def plan(
    settings: StackSettings, ports: Mapping[str, int], environ_home: str | None = None
) -> Plan:
    """What is to be started.

    Raises:
        StackError: something that is needed is not on this machine.
    """
    try:
        given = kafka_settings(settings.kafka) if settings.kafka else None
        pool = settings.pool or load_chain(settings.config).default_pool
    except SettingsError as wrong:
        raise StackError(str(wrong)) from None
    where = Where(
        settings=settings,
        ports=ports,
        pool=pool,
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
    services += [_warehouse(where), stock(where, with_lag=not volatile), transfers(where)]
    services += [
        make(where, with_lag=not volatile)
        for name, make in MORE_FLOWS.items()
        if name in settings.also
    ]
    if CHANNELS in settings.also:
        service, note = channels(where)
        services.append(service)
        notes.append(note)
    services += [_keeper(where), _api(where)]
    if settings.hooks is not None:
        services.append(_hooks(where, settings.hooks))
    else:
        notes.append("hooks: none, for no --hooks FILE says who is told of alerts")
    environment = {
        "TILLFLOW_KAFKA": where.kafka.brokers,
        "TILLFLOW_WAREHOUSE": where.reader,
        "TILLFLOW_WAREHOUSE_TOKEN_FILE": str(where.token("dashboards").resolve()),
    }
    if settings.redis is None:
        environment |= {"TILLFLOW_HOLDS_REDIS": where.redis, "TILLFLOW_HOLDS_POOL": where.pool}
    return Plan(_left(services, settings.without), name, volatile, tuple(notes), environment)


def _left(services: list[Service], without: tuple[str, ...]) -> tuple[Service, ...]:
    """Without those that are not wanted and those that cannot be without them."""
    left = [one for one in services if one.name not in without]
    while True:
        gone = {one.name for one in services} - {one.name for one in left}
        stays = [one for one in left if not gone & set(one.needs)]
        if len(stays) == len(left):
            return tuple(left)
        left = stays


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
        probe=redis_health(where.redis, where.pool),
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
        watches_supervisor=False,
    )


def _keeper(where: Where) -> Service:
    gate = ("--redis", where.redis, "--pool", where.pool)
    log = ("--kafka", where.kafka.brokers, "--create-topics")
    return Service(
        name="keeper",
        command=tillflow("holds", "keep", *gate, *log),
        probe=says_health("is open"),
        report=keeper_report(where.redis, where.pool),
        needs=where.needs("broker", "redis"),
    )


def _api(where: Where) -> Service:
    port = where.ports["api"]
    keys = where.settings.keys or where.data / "api_keys.yaml"
    gate = ("--redis", where.redis, "--pool", where.pool)

    def first_key() -> None:
        """A key to begin with, where the file of keys is ours."""
        if where.settings.keys is not None or keys.exists():
            return
        file = where.token("holds")
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            key, _ = new_key(keys, "first", list(SCOPES), rate=100.0, burst=200.0)
        except KeysError as wrong:
            raise StackError(str(wrong)) from None
        # Nobody else may read it, from its first moment on.
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(f"{key}\n")

    return Service(
        name="api",
        command=tillflow("holds", "serve", *gate, "--keys", keys, "--host", HOST, "--port", port),
        probe=http_health(f"http://{HOST}:{port}/health"),
        address=f"http://{HOST}:{port}",
        needs=where.needs("redis", "keeper"),
        prepare=first_key,
    )


def _hooks(where: Where, config: Path) -> Service:
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
