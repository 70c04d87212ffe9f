"""The two commands of a watch beside the stock flow: `check` over files, `watch` on the log."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from flows.settings import SettingsError, kafka_settings, load_chain
from flows.watch import TOPICS, AlertRow, LogWatcher, Watch, from_files
from infra.answers import Column, console, table
from infra.options import config_option, format_option, kafka_option
from infra.told_alerts import teller
from infra.warehouse_option import warehouse_option
from schemas.alert import ALERT_TYPE, Alert
from schemas.instants import format_instant, to_micros
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


class Shown(NamedTuple):
    """How open alerts of a kind are shown: objects of stock_alert's columns.

    `finding` is what the first piece of evidence is called in them, `since` what `opened_at` is.
    """

    alert_type: str
    title: str
    nothing: str
    columns: tuple[Column, ...]
    finding: str
    since: str
    order: Callable[[dict[str, Any]], Any]


def check_command(watch: Watch, shown: Shown, words: str) -> click.Command:
    """`check`: go through files of events and show what is open at their end."""

    @click.command("check", help=words)
    @click.option("--source", required=True, help="File of events, folder, or pattern.")
    @config_option("The chain (YAML).")
    @click.option("--tell", is_flag=True, help="Raise and clear alerts in --warehouse.")
    @format_option()
    @warehouse_option
    def check(source: str, config: Path | None, tell: bool, form: str, warehouse: Target) -> None:
        try:
            chain = load_chain(config)
            machine = watch.fresh(chain, False)
            told: dict[str, AlertRow] = {}
            for rows in from_files(source, chain, machine):
                told |= {row[0]: row for row in rows}
            if tell:
                with WarehouseView(warehouse, writing=True) as view:
                    known = view.open_alerts(shown.alert_type)
                    gone = [one for one in known if one.alert not in told]
                    view.tell([*map(_withdrawn, gone), *told.values()])
        except _EXPECTED as wrong:
            raise click.ClickException(str(wrong)) from wrong
        objects = [dict(zip(STOCK_ALERT.names, row, strict=True)) for row in machine.open()]
        for one in objects:
            one[shown.finding] = msgspec.json.decode(one["evidence"])[0]
        objects.sort(key=shown.order)
        if form == "json":
            names = ("alert", "sku", "place", "suggested_action", shown.finding)
            plain = [
                {name: one[name] for name in names}
                | {shown.since: format_instant(one["opened_at"])}
                for one in objects
            ]
            encoded = msgspec.json.encode(plain)
            sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")
        elif objects:
            console().print(table(shown.title, shown.columns, objects))
        else:
            click.echo(shown.nothing)

    return check


def watch_command(watch: Watch, alert_type: str) -> click.Command:
    """`watch`: read the log and tell alerts until stopped."""
    words = f"Raise and clear `{alert_type}` alerts as events come, until stopped."

    @click.command("watch", help=words)
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
    def command(
        kafka: str,
        config: Path | None,
        state: Path | None,
        no_warehouse: bool,
        until_end: bool,
        warehouse: Target,
    ) -> None:
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
                tell = teller(settings, rows)
                watcher = LogWatcher(watch, settings, load_chain(config), state, tell)
                stack.callback(watcher.close)
                while not over.is_set():
                    watcher.step()
                    if until_end and watcher.ended():
                        return
        except _EXPECTED as wrong:
            raise click.ClickException(str(wrong)) from wrong

    return command


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
