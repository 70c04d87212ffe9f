"""`tillflow up`, `down` and `status`: the live stack on this machine, and how it is."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from infra.stack.catalogue import ON_REQUEST, OPTIONAL
from infra.stack.flows import wanted_flows
from infra.stack.overview import Overview, look_at
from infra.stack.processes import wait_gone
from infra.stack.record import (
    StackError,
    StackLock,
    StackRecord,
    StackSettings,
    read_record,
    write_json,
)
from infra.stack.run import WANTED, clean_up, on_signals, run_stack
from infra.stack_options import data_option, names_option, ports_options

POLL_SECONDS = 0.1
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@data_option
@click.option("--config", type=_FILE, help="The chain's configuration (YAML).")
@click.option("--hooks", type=_FILE, help="Who is told of alerts (YAML); without it nobody is.")
@click.option(
    "--journeys",
    type=click.Path(path_type=Path, exists=True),
    help="Journeys of members, a file or folder; with --with members.",
)
@click.option("--health", type=_FILE, help="Model of `members fit`; with --with members.")
@click.option(
    "--channels",
    type=_FILE,
    help="Who sends to members (YAML), with --with channels; without it or its keys a sandbox.",
)
@click.option(
    "--coupons",
    type=_FILE,
    help="Coupons (YAML), with --with coupons; with channels what journeys give is issued, too.",
)
@click.option("--keys", type=_FILE, help="API keys of the hold API (YAML).  [default: made]")
@click.option("--kafka", metavar="HOST:PORT", help="Use these brokers instead of an own one.")
@click.option(
    "--kafka-home",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Apache Kafka to run.  [default: KAFKA_HOME, else DATA/kafka, else Tansu]",
)
@click.option("--redis", metavar="URL", help="Use this Redis instead of an own one.")
@click.option("--redis-server", type=click.Path(path_type=Path), help="Redis to run.")
@click.option("--pool", help="The pool whose stock is held.  [default: the chain's default pool]")
@ports_options
@click.option(
    "--without",
    multiple=True,
    callback=names_option(OPTIONAL),
    metavar="NAME[,NAME]",
    help=f"Leave it out: {', '.join(OPTIONAL)}.",
)
@click.option(
    "--with",
    "also",
    multiple=True,
    callback=names_option(ON_REQUEST),
    metavar="NAME[,NAME]",
    help=f"Start these, too: {', '.join(ON_REQUEST)}. Rosters bring footfall, channels members.",
)
@click.option("--all-flows", is_flag=True, help="Start all of these flows, too.")
@click.option(
    "--start-seconds",
    type=click.FloatRange(min=1),
    default=90.0,
    show_default=True,
    help="How long each service may take until it is healthy.",
)
@click.option(
    "--detach/--foreground",
    default=True,
    show_default=True,
    help="Whether it goes on when this command ends; in the foreground Ctrl-C stops it.",
)
def up(
    data: Path,
    config: Path | None,
    hooks: Path | None,
    journeys: Path | None,
    health: Path | None,
    channels: Path | None,
    coupons: Path | None,
    keys: Path | None,
    kafka: str | None,
    kafka_home: Path | None,
    redis: str | None,
    redis_server: Path | None,
    pool: str | None,
    without: tuple[str, ...],
    also: tuple[str, ...],
    all_flows: bool,
    start_seconds: float,
    detach: bool,
    **ports: int | None,
) -> None:
    """Start the live stack: broker, Redis, warehouse, flows, hold API, alerts.

    Returns when all of it is healthy. `tillflow doctor` says what is missing on this machine.
    """
    settings = StackSettings(
        data=data.resolve(),
        config=config and config.resolve(),
        hooks=hooks and hooks.resolve(),
        journeys=journeys and journeys.resolve(),
        health=health and health.resolve(),
        channels=channels and channels.resolve(),
        coupons=coupons and coupons.resolve(),
        keys=keys and keys.resolve(),
        kafka=kafka,
        kafka_home=kafka_home and kafka_home.resolve(),
        redis=redis,
        redis_server=redis_server,
        pool=pool,
        ports={name.removeprefix("port_"): port for name, port in ports.items() if port},
        without=without,
        also=wanted_flows(ON_REQUEST if all_flows else also),
        start_seconds=start_seconds,
    )
    teller = _Teller()
    try:
        if _runs(settings.data):
            click.echo(f"the stack in {data} runs already: tillflow status --data {data}")
            return
        if detach:
            _start_apart(settings, teller)
        else:
            run_stack(settings, teller, on_signals())
    except StackError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    if detach:
        click.echo(f"stop it with: tillflow down --data {data}")


@click.command()
@data_option
@click.option(
    "--wait-seconds",
    type=click.FloatRange(min=1),
    default=180.0,
    show_default=True,
    help="How long services may take to end.",
)
def down(data: Path, wait_seconds: float) -> None:
    """Stop the live stack: flows first, then servers; returns when no process is left."""
    data = data.resolve()
    try:
        record = _record(data)
        if record.running:
            record.supervisor.signal(signal.SIGTERM)
            if not wait_gone([record.supervisor], wait_seconds):
                msg = f"the stack did not end within {wait_seconds:g} s: see {data / 'logs'}"
                raise StackError(msg)
            record = _record(data)
        elif not record.left_over():
            click.echo(f"the stack in {data} does not run")
            return
        clean_up(record)
    except StackError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    click.echo("stopped")


@click.command()
@data_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(data: Path, as_json: bool) -> None:
    """How each service is; exit code 1 when not all of them are well."""
    try:
        overview = look_at(_record(data.resolve()))
    except StackError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    if as_json:
        click.echo(json.dumps(overview.to_json(), indent=2))
    else:
        _show(overview)
    if not overview.well:
        sys.exit(1)


def _record(data: Path) -> StackRecord:
    record = read_record(data)
    if record is None:
        msg = f"there is no stack in {data}: start one with tillflow up --data {data}"
        raise StackError(msg)
    return record


def _runs(data: Path) -> bool:
    lock = StackLock(data)
    try:
        return not lock.take()
    finally:
        lock.close()


def _start_apart(settings: StackSettings, teller: _Teller) -> None:
    """Start a supervisor that outlives this command, and wait until all is healthy."""
    data = settings.data
    write_json(data / WANTED, settings)
    log = data / "logs" / "supervisor.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as out:
        began = out.tell()
        started = subprocess.Popen(
            [sys.executable, "-P", "-m", "infra.stack.run", str(data)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_ready(started, settings.data, teller, log, began)
    except KeyboardInterrupt:
        started.send_signal(signal.SIGTERM)
        started.wait()
        raise


def _wait_ready(
    started: subprocess.Popen[bytes], data: Path, teller: _Teller, log: Path, began: int
) -> None:
    while True:
        code = started.poll()
        record = read_record(data)
        if record is not None and record.supervisor.pid == started.pid:
            teller(record)
            if record.state == "ready":
                return
            if record.problem and code is not None:
                raise StackError(record.problem)
        if code is not None:
            with log.open("rb") as said:
                said.seek(began)
                words = said.read().decode("utf-8", "replace").strip()
            msg = words.rpartition(" ERROR ")[2] or f"the supervisor ended ({code})"
            raise StackError(msg)
        time.sleep(POLL_SECONDS)


class _Teller:
    """Says at a start what runs, where, and since when it is healthy."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._noted = False
        self._ready = False

    def __call__(self, record: StackRecord) -> None:
        """Tell what is new."""
        if not self._noted:
            self._noted = True
            click.echo(f"the stack in {record.settings.data}")
            for note in record.notes:
                click.echo(f"  {note}")
        for one in record.services:
            if self._known.get(one.name) == one.state:
                continue
            before = self._known.get(one.name)
            self._known[one.name] = one.state
            if one.state == "running":
                click.echo(f"  {one.name:<10} {one.address or 'runs'}")
            elif one.state in ("restarting", "failed") and before is not None:
                click.echo(f"  {one.name:<10} {one.said}", err=True)
        if record.state == "ready" and not self._ready:
            self._ready = True
            data = record.settings.data
            click.echo(f"ready; other commands find it after: source {data / 'stack.env'}")


def _show(overview: Overview) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False, markup=False)
    table = Table("service", "state", "pid", "since (UTC)", "restarts", "address", "how it is")
    for one in overview.services:
        since = f"{one.since:%m-%d %H:%M:%S}" if one.since else ""
        row = (one.name, one.state, str(one.pid or ""), since, str(one.restarts))
        table.add_row(*row, one.address, one.detail, style=None if one.well else "red")
    console.print(table)
    console.print(f"{overview.state}: {overview.words}")
    console.print(f"logs: {overview.logs}")
