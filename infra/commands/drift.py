"""`tillflow drift`: do the log, Redis and the warehouse say the same, and put a pair right."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from flows.replayed import replayed
from flows.settings import SettingsError, kafka_settings, load_chain
from infra.answers import Column, console, field, table
from infra.options import config_option, format_option, kafka_option
from infra.pool_truth import Feed, Found, PoolTruth
from infra.told_alerts import silent, teller
from infra.warehouse_option import warehouse_option
from operators.stock.drift import TruthLog
from operators.stock.drift_alerts import DRIFT, DriftDesk
from schemas.alert import ALERT_TYPE
from schemas.instants import SECOND_US
from schemas.position import POSITION_TYPE
from serving.drift import GateViews, WarehouseView
from sinks.kafka.producer import DeliveryError
from sinks.redis.errors import GateError
from sinks.warehouse.address import Target, WarehouseError
from sources.files import SourceError
from sources.kafka.errors import BrokerError, LostOffsetError
from sources.kafka.settings import KafkaSettings
from sources.kafka.topics import check_topics
from sources.positions import PositionLog, TimedPosition

F = TypeVar("F", bound=Callable[..., Any])

_EXPECTED = (
    SettingsError,
    SourceError,
    BrokerError,
    LostOffsetError,
    DeliveryError,
    GateError,
    WarehouseError,
    ValueError,
)
_COLUMNS: tuple[Column, ...] = (
    ("sku", field("sku")),
    ("place", field("place")),
    ("view", field("view")),
    ("what", field("kind")),
    (">units", field("units")),
    ("why", field("why")),
)


def _views(command: F) -> F:
    """The options that say where the three views are."""
    for option in (
        click.option(
            "--lag-seconds",
            type=click.FloatRange(min=0.2, max=3600),
            default=10.0,
            show_default=True,
            help="A view may be so far behind the log.",
        ),
        click.option("--no-warehouse", is_flag=True, help="Leave the warehouse out."),
        click.option(
            "--redis",
            envvar="TILLFLOW_HOLDS_REDIS",
            show_envvar=True,
            help="Where the hold gates are; without it they are left out.",
        ),
        config_option("The chain (YAML)."),
        click.option("--source", help="Instead of a log: files of events, gone through anew."),
        kafka_option("The log: its positions are the truth."),
    ):
        command = option(command)
    return warehouse_option(command)


@contextmanager
def _truth(
    kafka: str | None,
    source: str | None,
    config: Path | None,
    redis: str | None,
    no_warehouse: bool,
    lag_seconds: float,
    warehouse: Target,
    *,
    writing: bool,
) -> Iterator[PoolTruth]:
    """The views, open; what is expected to go wrong is said in words."""
    if bool(kafka) == bool(source):
        msg = "give --kafka (or TILLFLOW_KAFKA) or --source: one of the two says what is true"
        raise click.UsageError(msg)
    if no_warehouse and redis is None:
        msg = "--no-warehouse without --redis leaves nothing to compare"
        raise click.UsageError(msg)
    lag = round(lag_seconds * SECOND_US)
    log = TruthLog(lag)
    try:
        with ExitStack() as stack:
            settings = kafka_settings(kafka) if kafka else None
            feed = _feed(stack, log, settings, source, config)
            gates = None if redis is None else stack.enter_context(GateViews(redis))
            rows = None
            if not no_warehouse:
                rows = stack.enter_context(WarehouseView(warehouse, writing=writing))
            open_ones = [] if rows is None else rows.open_alerts(DRIFT)
            tell = teller(settings, rows) if writing else silent
            desk = DriftDesk(lag, open_ones)
            yield PoolTruth(log, feed, desk, gates, rows, derived=source is None, tell=tell)
    except _EXPECTED as wrong:
        raise click.ClickException(str(wrong)) from wrong


def _feed(
    stack: ExitStack,
    log: TruthLog,
    settings: KafkaSettings | None,
    source: str | None,
    config: Path | None,
) -> Feed:
    """Fill the log with what there is, and say how to get more."""
    if settings is None:
        for step in replayed(source or "", load_chain(config)):
            for position in step.positions:
                log.tell(position, 0)
        return lambda: ()
    check_topics(settings, (POSITION_TYPE, ALERT_TYPE))
    positions = PositionLog(settings)
    stack.callback(positions.close)
    for one in positions.to_end():
        log.tell(*one)

    def more() -> list[TimedPosition]:
        found: list[TimedPosition] = []
        while some := positions.read(0.02):
            found += some
        return found

    return more


def _objects(found: Sequence[Found]) -> list[dict[str, Any]]:
    return [
        {
            "sku": one.pair[0],
            "place": one.pair[1],
            "view": difference.view,
            "kind": difference.kind,
            "units": difference.units,
            "why": difference.why,
            "log": difference.expected,
            "found": difference.found,
            "repairable": difference.repairable,
        }
        for one in found
        for difference in one.drift
    ]


def _print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


@click.group()
def drift() -> None:
    """Do the log, Redis and the warehouse say the same? The log is the truth."""


@drift.command()
@click.option("--tell", is_flag=True, help="Raise and clear `drift` alerts.")
@click.option("--repair", "repairing", is_flag=True, help="Put right what was found.")
@format_option()
@_views
def check(tell: bool, repairing: bool, form: str, **views: Any) -> None:
    """Compare all pairs once; exit code 1 when there is drift that was not put right."""
    with _truth(**views, writing=tell or repairing) as truth:
        if not tell:
            truth.tell = silent
        found = truth.check()
        objects = _objects(found)
        left = bool(found)
        if repairing:
            left = False
            for one in found:
                for done in truth.repair(one.pair):
                    left = left or not done["repaired"]
    if form == "json":
        _print_json({"pairs": len(truth.log), "drift": objects, "gates_not_compared": truth.closed})
    else:
        for pool, state in truth.closed.items():
            click.echo(f"the gate of pool {pool} is {state}: not compared", err=True)
        if objects:
            note = "put right" if repairing and not left else "tillflow drift repair SKU PLACE"
            console().print(table("Drift", _COLUMNS, objects, note))
        else:
            click.echo(f"no drift in {len(truth.log):,} pairs")
    if left:
        raise SystemExit(1)


@drift.command()
@click.argument("sku")
@click.argument("place")
@_views
def repair(sku: str, place: str, **views: Any) -> None:
    """Put one pair right from its newest position; exit code 1 where that is not possible."""
    with _truth(**views, writing=True) as truth:
        if truth.log.position((sku, place)) is None:
            msg = f"the log has no position of {sku} at {place}: there is nothing to repair it with"
            raise click.ClickException(msg)
        done = truth.repair((sku, place))
    _print_json(done)
    if not all(one["repaired"] for one in done):
        raise SystemExit(1)


@drift.command()
@click.option(
    "--within",
    type=click.FloatRange(min=1),
    default=300.0,
    show_default=True,
    help="Every pair is compared within so many seconds.",
)
@click.option(
    "--most-a-second",
    type=click.IntRange(1, 100_000),
    default=2_000,
    show_default=True,
    help="No more pairs a second than this, whatever --within says.",
)
@click.option("--repair", "repairing", is_flag=True, help="Put right what is found, too.")
@_views
def watch(within: float, most_a_second: int, repairing: bool, **views: Any) -> None:
    """Compare for ever and raise and clear `drift` alerts, until stopped.

    A warehouse that is a file belongs to this process meanwhile: use a served one.
    """
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with _truth(**views, writing=True) as truth:
        for found in truth.watch(within, most_a_second, over.wait):
            for one in found:
                for done in truth.repair_found(one) if repairing else _objects([one]):
                    sys.stdout.write(
                        msgspec.json.encode(
                            {"sku": one.pair[0], "place": one.pair[1]} | done
                        ).decode()
                        + "\n"
                    )
            sys.stdout.flush()
