"""`tillflow phantom`: stock on record that has been silent for improbably long."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import msgspec

from flows.phantom import TOPICS, PhantomWorker, from_files
from flows.settings import SettingsError, kafka_settings, load_chain
from infra.answers import Column, console, field, shown, table
from infra.options import config_option, format_option, kafka_option
from infra.told_alerts import teller
from infra.warehouse_option import warehouse_option
from operators.stock.phantom.alerts import PHANTOM, AlertRow
from operators.stock.phantom.machine import PhantomMachine
from schemas.alert import ALERT_TYPE, Alert
from schemas.instants import format_instant, to_datetime, to_micros
from schemas.warehouse import STOCK_ALERT
from serving.drift import WarehouseView
from sinks.kafka.producer import DeliveryError
from sinks.warehouse.address import Target, WarehouseError
from sources.files import SourceError
from sources.kafka.errors import BrokerError, LostOffsetError
from sources.kafka.topics import check_topics

_EXPECTED = (
    SettingsError,
    SourceError,
    BrokerError,
    LostOffsetError,
    DeliveryError,
    WarehouseError,
)
_COLUMNS: tuple[Column, ...] = (
    ("sku", field("sku")),
    ("place", field("place")),
    ("silent since", lambda one: shown(to_datetime(one["opened_at"]))),
    (">on record", lambda one: shown(one["silence"]["on_hand"])),
    (">sales expected since", lambda one: shown(one["silence"]["expected_sales"])),
    (">probability", lambda one: f"{one['silence']['probability']:.2g}"),
    ("what to do", field("suggested_action")),
)


@click.group()
def phantom() -> None:
    """Stock on record that should have sold long ago and has not: is it there?"""


@phantom.command()
@click.option("--source", required=True, help="File of events, folder, or pattern.")
@config_option("The chain (YAML).")
@click.option("--tell", is_flag=True, help="Raise and clear alerts in --warehouse.")
@format_option()
@warehouse_option
def check(source: str, config: Path | None, tell: bool, form: str, warehouse: Target) -> None:
    """Go through events and show what is suspected at their end, the least probable first."""
    try:
        chain = load_chain(config)
        machine = PhantomMachine(chain.phantom)
        told: dict[str, AlertRow] = {}
        for rows in from_files(source, chain, machine):
            told |= {row[0]: row for row in rows}
        if tell:
            with WarehouseView(warehouse, writing=True) as view:
                gone = [one for one in view.open_alerts(PHANTOM) if one.alert not in told]
                view.tell([*map(_withdrawn, gone), *told.values()])
    except _EXPECTED as wrong:
        raise click.ClickException(str(wrong)) from wrong
    objects = [dict(zip(STOCK_ALERT.names, row, strict=True)) for row in machine.open()]
    for one in objects:
        one["silence"] = msgspec.json.decode(one["evidence"])[0]
    objects.sort(key=lambda one: one["silence"]["probability"])
    if form == "json":
        plain = [
            {name: one[name] for name in ("alert", "sku", "place", "suggested_action", "silence")}
            | {"silent_since": format_instant(one["opened_at"])}
            for one in objects
        ]
        encoded = msgspec.json.encode(plain)
        sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")
    elif objects:
        console().print(table("Phantom stock suspected", _COLUMNS, objects))
    else:
        click.echo("nothing is silent for improbably long")


def _withdrawn(one: Alert) -> AlertRow:
    """An alert that these events do not bear out, as its cleared row."""
    values: dict[str, Any] = msgspec.structs.asdict(one) | {"status": "cleared"}
    values["claims"] = msgspec.json.encode(one.claims).decode()
    last = {"kind": "withdrawn", "time": format_instant(to_micros(one.updated_at))}
    values["evidence"] = msgspec.json.encode([*one.evidence, last]).decode()
    values["cleared_at"] = one.updated_at
    for name in ("opened_at", "updated_at", "cleared_at"):
        values[name] = to_micros(values[name])
    return tuple(values[name] for name in STOCK_ALERT.names)


@phantom.command()
@kafka_option("The log: movements and positions.", required=True)
@config_option("The chain (YAML).")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    help="File to go on from after a stop; without it the log is read anew.",
)
@click.option("--no-warehouse", is_flag=True, help="Tell alerts on the log only.")
@click.option("--until-end", is_flag=True, help="End when all is read that is there now.")
@warehouse_option
def watch(
    kafka: str,
    config: Path | None,
    state: Path | None,
    no_warehouse: bool,
    until_end: bool,
    warehouse: Target,
) -> None:
    """Raise and clear `phantom_suspected` alerts as events come, until stopped."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    try:
        settings = kafka_settings(kafka)
        assert settings is not None
        check_topics(settings, (*TOPICS, ALERT_TYPE))
        with ExitStack() as stack:
            rows = None
            if not no_warehouse:
                rows = stack.enter_context(WarehouseView(warehouse, writing=True))
            worker = PhantomWorker(settings, load_chain(config), state, teller(settings, rows))
            stack.callback(worker.close)
            while not over.is_set():
                worker.step()
                if until_end and worker.ended():
                    return
    except _EXPECTED as wrong:
        raise click.ClickException(str(wrong)) from wrong
