"""`tillflow holds`: the hold API, the gate's keeper, and what their operator needs."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import click

from flows.settings import SettingsError, kafka_settings
from infra.commands.hold_keys import KEYS_FILE, keys
from infra.keeper_log import KafkaLog
from infra.problems import problems_told
from infra.signals import stopped_by_signals
from serving.holds.keys import KeysError
from serving.holds.server import serve as serve_api
from serving.holds.settings import ApiSettings
from serving.keeper.keeper import TROUBLES, Keeper, KeeperSettings
from serving.keeper.operation import ask_for_rebuild, shown
from sinks.redis.client import HoldGate
from sinks.redis.errors import GateError
from sinks.redis.settings import GateSettings
from sources.kafka.errors import BrokerError

F = TypeVar("F", bound=Callable[..., Any])

_redis = click.option(
    "--redis",
    "url",
    default="redis://localhost:6379/0",
    show_default=True,
    envvar="TILLFLOW_HOLDS_REDIS",
    help="Where the gate is.",
)
_pool = click.option(
    "--pool",
    default="all",
    show_default=True,
    envvar="TILLFLOW_HOLDS_POOL",
    help="The pool of places, as positions name it.",
)
_kafka = click.option("--kafka", envvar="TILLFLOW_KAFKA", help="Bootstrap servers (host:port,...).")
_create = click.option(
    "--create-topics",
    is_flag=True,
    envvar="TILLFLOW_CREATE_TOPICS",
    help="Create missing topics.",
)


@click.group()
def holds() -> None:
    """Holds: units claimed before they are paid, over HTTP; and the keeper of their gate."""


holds.add_command(keys)


@holds.command()
@_redis
@_pool
@KEYS_FILE
@click.option("--host", default="127.0.0.1", show_default=True, envvar="TILLFLOW_HOLDS_HOST")
@click.option(
    "--port",
    default=8780,
    show_default=True,
    type=click.IntRange(1, 65535),
    envvar="TILLFLOW_HOLDS_PORT",
)
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    envvar="TILLFLOW_HOLDS_PROCESSES",
    help="Server processes behind one address.",
)
@click.option(
    "--max-holds",
    type=click.IntRange(1),
    envvar="TILLFLOW_HOLDS_MAX_HOLDS",
    help="Unpaid holds of one customer at most.",
)
@click.option(
    "--max-units",
    type=click.IntRange(1),
    envvar="TILLFLOW_HOLDS_MAX_UNITS",
    help="Unpaid units of one customer at most.",
)
@click.option(
    "--default-ttl",
    default=600.0,
    show_default=True,
    envvar="TILLFLOW_HOLDS_DEFAULT_TTL",
    help="Seconds that a hold lasts where the request does not say.",
)
@click.option(
    "--max-ttl",
    default=86_400.0,
    show_default=True,
    envvar="TILLFLOW_HOLDS_MAX_TTL",
    help="Seconds that a hold may last.",
)
def serve(
    url: str,
    pool: str,
    file: Path,
    host: str,
    port: int,
    processes: int,
    max_holds: int | None,
    max_units: int | None,
    default_ttl: float,
    max_ttl: float,
) -> None:
    """Serve the HTTP API until stopped; its page is at /openapi.json."""
    _log()
    with _told():
        settings = ApiSettings(
            gate=GateSettings(url=url, pool=pool, max_holds=max_holds, max_units=max_units),
            keys=file,
            default_ttl_seconds=default_ttl,
            max_ttl_seconds=max_ttl,
        )
        click.echo(f"holds of pool {pool} at http://{host}:{port}/v1/holds", err=True)
        serve_api(settings, host, port, processes)


@holds.command()
@_redis
@_pool
@_kafka
@_create
@click.option(
    "--status-file",
    type=click.Path(path_type=Path),
    envvar="TILLFLOW_HOLDS_STATUS_FILE",
    help="Write how it is doing to this file, as JSON, every second.",
)
@click.option(
    "--lease-seconds",
    default=3.0,
    show_default=True,
    envvar="TILLFLOW_HOLDS_LEASE_SECONDS",
    help="After a crash another keeper takes over so soon.",
)
def keep(
    url: str,
    pool: str,
    kafka: str | None,
    create_topics: bool,
    status_file: Path | None,
    lease_seconds: float,
) -> None:
    """Keep the gate of a pool until stopped: relay, project, sweep, rebuild; or stand by."""
    _log()
    with _told(), stopped_by_signals() as stop:
        settings = KeeperSettings(
            gate=GateSettings(url=url, pool=pool),
            lease_seconds=lease_seconds,
            status_file=status_file,
        )
        Keeper(settings, _kafka_log(kafka, create_topics)).run(stop)


@holds.command()
@_redis
@_pool
@_kafka
@_create
@click.option("--timeout", default=120.0, show_default=True, help="Wait so many seconds for it.")
def rebuild(url: str, pool: str, kafka: str | None, create_topics: bool, timeout: float) -> None:
    """Close the gate, write it anew from the log, open it; by the keeper, if one is at work."""
    _log()
    with _told(), stopped_by_signals() as stop:
        settings = GateSettings(url=url, pool=pool)
        log = _kafka_log(kafka, create_topics)
        deadline = time.monotonic() + timeout
        epoch: str | None = None
        while epoch is None and not stop.is_set():
            epoch = Keeper(KeeperSettings(gate=settings), log).rebuild_once(stop)
            if epoch is None:
                with HoldGate(settings) as gate:
                    epoch = ask_for_rebuild(gate, stop, deadline)
    if epoch is not None:
        click.echo(f"the gate of pool {pool} is open, epoch {epoch}")


@holds.command()
@_redis
@_pool
@click.argument("reservation", required=False)
def show(url: str, pool: str, reservation: str | None) -> None:
    """Gate, keeper and over-claimed pairs as JSON; with an id: that hold."""
    with _told(), HoldGate(GateSettings(url=url, pool=pool)) as gate:
        click.echo(json.dumps(shown(gate, reservation), indent=2, ensure_ascii=False))


def _kafka_log(brokers: str | None, create: bool) -> KafkaLog:
    settings = kafka_settings(brokers)
    if settings is None:
        msg = "no log is given: say --kafka HOST:PORT or set TILLFLOW_KAFKA"
        raise SettingsError(msg)
    return KafkaLog(settings, create=create)


def _log() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )


def _told() -> AbstractContextManager[None]:
    return problems_told(*TROUBLES, KeysError, SettingsError, BrokerError, GateError, ValueError)
